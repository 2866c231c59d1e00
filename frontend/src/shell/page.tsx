/** The page: header, text on the left, the map, reading on the right, status at the foot. */

import { useSignalEffect } from "@preact/signals";
import type { Lost } from "../net/stream";
import { Compare, DifferenceNote } from "../panels/compare/compare";
import { HoverCard } from "../panels/explain/hover-card";
import { TapCard } from "../panels/explain/tap-card";
import { PhoneGuide } from "../panels/guide/guide";
import { Contents } from "../panels/lessons/contents";
import { LessonPanel } from "../panels/lessons/lesson-panel";
import { Crumbs } from "../panels/map/breadcrumbs";
import { LabelCard } from "../panels/map/label-card";
import { Legend, MapLegend } from "../panels/map/legend";
import { Occupied } from "../panels/map/occupied";
import { Overview } from "../panels/map/overview";
import { PositionMarks } from "../panels/map/position-marks";
import { PhoneBar, Presenting, SideToggle, ViewMenu } from "../panels/map/view-menu";
import { Flights } from "../panels/playback/cell-playback";
import { PassStage } from "../panels/playback/pass-playback";
import { Transport } from "../panels/playback/transport";
import { Writer } from "../panels/prompt/generate-controls";
import { Prompt } from "../panels/prompt/prompt";
import { Tokens } from "../panels/prompt/tokens";
import { Bars } from "../panels/prompt/top-tokens";
import { Search, SearchButton } from "../panels/search/search";
import { type Actions, ActionsContext, useActions } from "../panels/shared/actions";
import { Callouts } from "../panels/shared/callouts";
import { dockWidth } from "../state/lenses";
import { contentsShown, lessonPlace } from "../state/lesson";
import { leftShown, phoneView, presenting, rightShown, toggleSide } from "../state/shell";
import {
  connection,
  lostTo,
  mapProblem,
  model,
  type Problem,
  pageProblem,
  panel,
  serverSilent,
} from "../state/store";
import { theme, toggleTheme } from "../theme";
import { ModelPicker } from "./model-picker";
import { forgetUnknownPanel, offeredPanels, openPanel } from "./panels";
import { Shortcuts } from "./shortcuts";
import { Splitter } from "./splitter";
import { Status } from "./status";
import "./page.css";

/** `canvas` is the map's own, put where the map belongs. */
export function Page({ actions, canvas }: { actions: Actions; canvas: HTMLCanvasElement }) {
  const { Component: Open } = openPanel.value;
  useSignalEffect(forgetUnknownPanel);
  return (
    <ActionsContext.Provider value={actions}>
      <Shortcuts />
      <Header />
      <Banner />
      <main
        class={atlasClass()}
        style={{ "--dock": dockWidth.value === null ? undefined : `${dockWidth.value}px` }}
      >
        <section class="left" aria-label="Text and writer">
          <LessonPanel />
          <PhoneGuide />
          <Prompt />
          {model.value?.kind !== "encoder" && !model.value?.no_head && <Writer />}
          <Tokens />
          <Bars />
          <Compare />
          <Legend />
        </section>
        <section
          class="map"
          aria-label="Map"
          ref={(host) => {
            if (host && !host.contains(canvas)) host.prepend(canvas);
          }}
        >
          <DifferenceNote />
          <Callouts />
          <PositionMarks />
          <Flights />
          <PassStage canvas={canvas} />
          <Crumbs canvas={canvas} />
          <Overview canvas={canvas} />
          <MapLegend />
          <TapCard />
          {rightShown.value && <Splitter />}
          <Presenting />
          <Occupied canvas={canvas} />
          <LabelCard canvas={canvas} />
          <Transport />
          {mapProblem.value && <Notice problem={mapProblem.value} />}
        </section>
        <section class="right" aria-label="Reading">
          <Tabs />
          <div id="reading" class="reading" role="tabpanel" aria-labelledby={`tab-${openPanel.value.id}`}>
            <Open />
          </div>
        </section>
      </main>
      <Status />
      <PhoneBar />
      <HoverCard />
      <Search />
      <Contents />
    </ActionsContext.Provider>
  );
}

const PHONE = { text: "phone-text", reading: "phone-reading", map: "phone-map" } as const;

/** The classes that say which parts of the page are shown. */
function atlasClass(): string {
  return [
    "atlas",
    PHONE[phoneView.value],
    dockWidth.value === null ? "" : "pulled",
    leftShown.value ? "" : "no-left",
    rightShown.value ? "" : "no-right",
    presenting.value ? "presenting" : "",
    lessonPlace.value ? "in-lesson" : "",
  ]
    .filter(Boolean)
    .join(" ");
}

function Header() {
  const dark = theme.value === "dark";
  return (
    <header class="bar">
      <button type="button" class="pill skip" onClick={() => document.getElementById("prompt")?.focus()}>
        Skip to the text
      </button>
      <h1 class="site-title">
        <a href="/">
          <span class="first">Transformer </span>Atlas
        </a>
      </h1>
      <ModelPicker />
      <SearchButton class="in-bar" title="Search" />
      <span class="grow" />
      <SideToggle side="left" />
      <SideToggle side="right" />
      <button
        type="button"
        class="link"
        onClick={() => {
          panel.value = "attention";
          toggleSide("right", true);
        }}
      >
        Attention
      </button>
      <button
        type="button"
        class="link"
        onClick={() => {
          contentsShown.value = true;
        }}
      >
        Lessons
      </button>
      <a href="/models">Models</a>
      <a href="/api">API</a>
      <ViewMenu />
      <button
        type="button"
        class="pill"
        aria-label={dark ? "Light theme" : "Dark theme"}
        onClick={toggleTheme}
      >
        <span aria-hidden="true">◐</span>
      </button>
    </header>
  );
}

function Tabs() {
  const tabs = offeredPanels.value;
  const open = openPanel.value;
  const step = (event: KeyboardEvent) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0) return;
    const { id } = tabs[(tabs.indexOf(open) + by + tabs.length) % tabs.length]!;
    panel.value = id;
    document.getElementById(`tab-${id}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Reading" onKeyDown={step}>
      {tabs.map(({ id, title, label, count }) => (
        <button
          key={id}
          id={`tab-${id}`}
          type="button"
          role="tab"
          aria-selected={id === open.id}
          aria-controls="reading"
          aria-label={label}
          tabIndex={id === open.id ? 0 : -1}
          onClick={() => {
            panel.value = id;
          }}
        >
          {count?.() ? `${title} ${count()}` : title}
        </button>
      ))}
    </div>
  );
}

const LOST: Record<Lost, string> = {
  away: "The server has gone away. What is on the page stays; it goes on as soon as the server is back.",
  full: "The server has no room for another stream. What is on the page stays; it goes on as soon as there is room.",
  refused:
    "The server is there, but refuses this page's stream. Is a proxy between them that changes the server's name, or cannot pass a WebSocket on? docs/guide/serving.md says what it needs.",
};

function Banner() {
  const { session } = useActions();
  const lost = connection.value === "lost";
  const problem = pageProblem.value;
  if (!lost && !problem && serverSilent.value)
    return (
      <div class="banner" role="alert">
        <span>
          The server does not answer: nothing has come for five seconds. What is on the page stays; it goes on
          as soon as the server does.
        </span>
      </div>
    );
  if (!lost && !problem) return null;
  return (
    <div class="banner" role="alert">
      {lost ? (
        <span>{LOST[lostTo.value]}</span>
      ) : (
        problem && (
          <span>
            {problem.message} {problem.hint}
          </span>
        )
      )}{" "}
      <button type="button" class="pill" onClick={() => (lost ? session.retry() : window.location.reload())}>
        {lost ? "Try now" : "Reload"}
      </button>
    </div>
  );
}

function Notice({ problem }: { problem: Problem }) {
  return (
    <div class="notice" role="alert">
      <h2>{problem.message}</h2>
      <p>{problem.hint}</p>
    </div>
  );
}
