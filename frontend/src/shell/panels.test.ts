import { afterAll, expect, test, vi } from "vitest";
import { panel } from "../state/store";
import { forgetUnknownPanel, offeredPanels, openByKey, openPanel, PANELS } from "./panels";

// The theme asks for these as soon as it is imported.
vi.hoisted(() => {
  const media = { matches: false, addEventListener: () => {} };
  vi.stubGlobal("window", { localStorage: { getItem: () => null }, matchMedia: () => media });
  vi.stubGlobal("document", { documentElement: { dataset: {} } });
});
afterAll(() => vi.unstubAllGlobals());

test("each panel has an id and words of its own, and all that name a key open by it", () => {
  expect(new Set(PANELS.map(({ id }) => id)).size).toBe(PANELS.length);
  expect(new Set(PANELS.map(({ title }) => title)).size).toBe(PANELS.length);
  for (const { id, key } of PANELS) {
    if (key === undefined) continue;
    expect(openByKey(key)).toBe(true);
    expect(openPanel.value.id).toBe(id);
  }
  expect(openByKey("§")).toBe(false);
});

test("the open panel is the one that was asked for, and the first where nobody has that one", () => {
  for (const { id, Component } of offeredPanels.value) {
    panel.value = id;
    forgetUnknownPanel();
    expect(openPanel.value).toMatchObject({ id, Component });
  }
  panel.value = "no-such-panel";
  expect(openPanel.value).toBe(PANELS[0]);
  forgetUnknownPanel();
  expect(panel.value).toBe(PANELS[0]!.id);
});
