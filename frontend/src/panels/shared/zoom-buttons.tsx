/** The buttons that make a matrix's cells smaller and larger. */

interface Props {
  /** Multiplies the size of the cells. */
  readonly onZoom: (factor: number) => void;
  readonly step: number;
  readonly isLeast?: boolean;
  readonly isMost?: boolean;
}

export function ZoomButtons({ onZoom, step, isLeast = false, isMost = false }: Props) {
  return (
    <>
      <button
        type="button"
        class="link"
        aria-label="Smaller cells"
        disabled={isLeast}
        onClick={() => onZoom(1 / step)}
      >
        −
      </button>
      <button
        type="button"
        class="link"
        aria-label="Larger cells"
        disabled={isMost}
        onClick={() => onZoom(step)}
      >
        +
      </button>
    </>
  );
}
