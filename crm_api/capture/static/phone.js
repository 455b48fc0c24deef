"use strict";
/* The telephone bar of the shell: the agent's state and calls. It outlives every page, and a change of language. */
(() => {
  const STATE_EVERY_MS = 5000, DESK_EVERY_MS = 2000, KNOWN_KINDS = /^(listen|whisper|barge|dial) /;
  /* Calls with a story, by the first word of the name that the exchange gives them. */
  const STORIES = { listen: "listen", whisper: "whisper", barge: "barge", dial: "outgoing", returned: "returned" };
  /* A phone on the desk tells its call through telephony. */
  const DESK = { alerting: "incoming", talk: "talking", hold: "held" };
  const one = (selector, within = document) => within.querySelector(selector);
  const bar = () => one("#phone");
  const text = (key) => bar()?.dataset[key.replace(/[-_](\w)/g, (_, letter) => letter.toUpperCase())] ?? key;
  const headers = () => ({ ...JSON.parse(document.body.getAttribute("hx-headers")), "Content-Type": "application/json" });
  let own = null, line = null, expecting = 0, wrapUntil = 0, problemUntil = 0, ringing = 0, sound = null, queue = "", talked = "", caller = "", desk = null;
  const views = new Map();

  async function ask(method, path, body) {
    const answer = await fetch("/api/v1" + path, { method, headers: headers(), body: body && JSON.stringify(body) });
    const told = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
    if (!answer.ok) throw Object.assign(new Error(told.detail || answer.statusText), { status: answer.status });
    return told;
  }
  /* SIP's reasons in the reader's words, where there are any. */
  function reason(said) {
    const key = "cause_" + said.toLowerCase().replace(/\W+/g, "_"), known = text(key);
    return known === key ? said : known;
  }
  function tell(what, detail = "") {
    const place = one("#phone-line");
    if (!place) return;
    place.textContent = text(what).replace("%cause", reason(detail)).replace("%problem", detail);
    problemUntil = Date.now() + 6000;
  }

  /* The agent's state, as telephony knows it */
  async function refresh() {
    try { own = await ask("GET", "/phone"); } catch { own = own && { ...own, is_there: false }; }
    drawState();
  }
  async function wish(value) {
    const [state, reason] = value.split(":");
    try { await ask("PUT", "/phone/state", { state, ...(reason ? { reason } : {}) }); } catch (error) { tell("order_failed", error.message); }
    refresh();
  }
  const clock = (ms) => `${Math.floor(ms / 60000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}`;
  function drawState() {
    const section = bar();
    if (!section) return;
    const there = Boolean(own?.is_there), state = there ? own.state || "none" : "unknown";
    section.dataset.state = state;
    const reason = there && own.pause_reason ? `: ${text("reason_" + own.pause_reason)}` : "";
    one("#phone-state").textContent = text("state_" + state) + reason;
    one("#phone-wish").value = "";
    one("#phone-wish").disabled = !there;
    drawDesk(state);
    drawLine();
    tick();
  }
  function drawDesk(state) {
    if (bar().dataset.kind !== "sip") return;
    if (!DESK[state]) {
      views.get(desk)?.remove();
      views.delete(desk);
      desk = null;
      return;
    }
    desk = desk || { number: caller };
    Object.assign(desk, { doing: DESK[state], since: Date.parse(own.since) });
    const made = view(desk);
    made.className = `phone-call ${state === "alerting" ? "rings" : ""} ${state === "hold" ? "held" : ""}`;
    made.dataset.doing = desk.doing;
    one(".phone-doing", made).textContent = text(desk.doing);
    one(".phone-number", made).textContent = desk.number;
    one(".phone-quality", made).textContent = text("on_desk");
    for (const each of made.querySelectorAll("button, details")) each.hidden = true;
  }
  function drawLine() {
    const section = bar();
    if (!section) return;
    const state = section.dataset.kind === "sip" ? "desk" : line?.state || "connecting";
    section.dataset.line = state;
    if (Date.now() < problemUntil) return;
    one("#phone-line").textContent = state !== "away" && own && !own.is_there ? text("no_telephony") : text(state);
  }
  function tick() {
    const place = one("#phone-timer");
    if (!place) return;
    const left = Math.ceil((wrapUntil - Date.now()) / 1000);
    if (left > 0) place.textContent = text("wrap_up_left").replace("%s", left);
    else place.textContent = own?.is_there && own.since ? clock(Math.max(0, Date.now() - Date.parse(own.since))) : "";
    for (const [call, view] of views) one(".phone-timer", view).textContent = clock(Date.now() - call.since);
    if (problemUntil && Date.now() > problemUntil) { problemUntil = 0; drawLine(); }
  }

  /* Calls */
  function view(call) {
    if (!views.has(call) || !views.get(call).isConnected) {
      const made = one("#phone-call").content.firstElementChild.cloneNode(true);
      made.addEventListener("click", (event) => press(call, event));
      one("#phone-calls").append(made);
      views.set(call, made);
    }
    return views.get(call);
  }
  function drawCalls() {
    if (!bar() || !line) return;
    for (const [call, made] of views) if (!line.calls.has(call)) { made.remove(); views.delete(call); }
    for (const call of line.calls) {
      const made = view(call), talks = Boolean(call.answered), mixed = Boolean(line.mix), alone = line.calls.size === 1;
      // Of two calls the first is the customer's: what joins them stands there.
      const paired = Boolean(line.other(call)) && call === [...line.calls][0];
      made.className = `phone-call ${call.rings ? "rings" : ""} ${call.doing === "held" ? "held" : ""}`;
      made.dataset.doing = call.doing;
      one(".phone-doing", made).textContent = text(mixed && talks ? "in_conference" : call.doing);
      const story = STORIES[call.name?.split(" ")[0]];
      one(".phone-number", made).textContent = story ? call.name.replace(/^\w+/, text(story)) : call.number;
      const shown = { answer: call.rings, hold: talks && !mixed, mute: talks, transfer: talks && alone, consult: talks && alone, complete: talks && paired, conference: talks && paired && !mixed };
      for (const [name, isShown] of Object.entries(shown)) one(`[data-phone=${name}]`, made).hidden = !isShown;
      one(".phone-keys", made).hidden = !talks;
      one("[data-phone=hold]", made).textContent = text(call.doing === "held" ? "resume" : "hold");
      one("[data-phone=mute]", made).textContent = text(call.muted ? "unmute" : "mute");
      one("[data-phone=end]", made).textContent = text(call.rings ? "reject" : "hang_up");
    }
    ring([...line.calls].some((call) => call.rings));
    const talking = [...line.calls].filter((call) => call.answered).map((call) => call.doing).join();
    if (talking !== talked) { talked = talking; setTimeout(refresh, 1200); }
    drawLine();
  }
  function measured(call) {
    const made = views.get(call);
    if (!made) return;
    Object.assign(made.dataset, { sent: call.sent, received: call.received });
    one(".phone-quality", made).textContent = text("quality").replace("%sent", call.sent).replace("%received", call.received).replace("%lost", call.lost);
  }
  /* Whom the field names; it is emptied, so that the next one is typed anew. */
  function target() {
    const field = one("#phone-dial [name=target]"), value = field.value.trim();
    field.value = "";
    if (!value) { tell("target_missing"); field.focus(); }
    return value && dialled(value);
  }
  /* As the exchange takes it: +86 139… is a mobile, +86 917… a landline with its 0. */
  function dialled(value) {
    const plain = value.replace(/[\s()-]/g, "");
    if (!plain.startsWith("+86")) return plain;
    const rest = plain.slice(3);
    return /^1\d{10}$/.test(rest) ? rest : "0" + rest;
  }
  function press(call, event) {
    const tone = event.target.closest("[data-tone]")?.dataset.tone, action = event.target.closest("[data-phone]")?.dataset.phone;
    if (tone) call.tone(tone);
    if (action === "answer") call.answer();
    if (action === "end") call.end();
    if (action === "hold") call.toggleHold();
    if (action === "mute") call.toggleMute();
    if (action === "conference") line.conference();
    if (action === "complete") call.transfer(null, line.other(call));
    const whom = (action === "transfer" || action === "consult") && target();
    if (whom && action === "transfer") call.transfer(whom);
    if (whom && action === "consult") line.dial(whom);
  }
  async function dial(number) {
    if (!number) return;
    if (line && line.state === "registered") { line.dial(dialled(number)); return; }
    try { await ask("POST", "/phone/calls", { number: dialled(number) }); } catch (error) { tell("order_failed", error.message); }
  }
  function ring(on) {
    if (on === Boolean(ringing)) return;
    clearInterval(ringing);
    ringing = on ? setInterval(beep, 1600) : 0;
    if (on) beep();
  }
  function beep() {
    sound = sound || new AudioContext();
    const tone = sound.createOscillator(), level = sound.createGain();
    tone.frequency.value = 440; level.gain.value = 0.08;
    tone.connect(level).connect(sound.destination);
    tone.start(); tone.stop(sound.currentTime + 0.6);
  }
  function over(call) {
    const isOfQueue = call.incoming && call.answered && !STORIES[call.name?.split(" ")[0]];
    if (isOfQueue && own?.wrap_up && queue in own.wrap_up) wrapUntil = Date.now() + own.wrap_up[queue] * 1000;
    setTimeout(refresh, 1200);
  }
  function rang(call) {
    // The caller comes back as a call of its own: the one that handed them on is over.
    if (call.name.startsWith("returned ")) for (const each of line.calls) if (each.handedOn) each.end();
    // What we asked the exchange for ourselves needs no second press.
    if (Date.now() < expecting && KNOWN_KINDS.test(call.name)) { expecting = 0; call.answer(); }
  }

  document.addEventListener("submit", (event) => {
    if (event.target.id !== "phone-dial") return;
    event.preventDefault(); event.stopPropagation();
    dial(target());
  }, true);
  document.addEventListener("change", (event) => { if (event.target.id === "phone-wish" && event.target.value) wish(event.target.value); });
  document.addEventListener("click", (event) => {
    const number = event.target.closest("[data-dial]")?.dataset.dial;
    if (number) { event.preventDefault(); dial(number); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "a" || event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, textarea, select")) return;
    const call = line && [...line.calls].find((each) => each.rings);
    if (call) { event.preventDefault(); call.answer(); }
  });
  document.addEventListener("htmx:beforeRequest", (event) => { if (event.target.matches?.("[data-joining]")) expecting = Date.now() + 20000; });
  document.addEventListener("phone-told", (event) => {
    if (event.detail.problem) tell("order_failed", event.detail.problem);
    setTimeout(refresh, 700);
  });
  document.addEventListener("phone-rings", (event) => {
    queue = event.detail.queue || "";
    caller = event.detail.number || "";
    if (desk) desk.number = caller;
    if (bar()?.dataset.kind === "sip") setTimeout(refresh, 700);
  });
  document.addEventListener("shell-drawn", () => { views.clear(); drawCalls(); drawState(); });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.pathInfo?.requestPath !== "/app/sign-out" || !bar()) return;
    fetch("/api/v1/phone/state", { method: "PUT", headers: headers(), body: JSON.stringify({ state: "logged_out" }), keepalive: true });
    line?.stop();
  });
  window.addEventListener("beforeunload", (event) => { if (line?.calls.size) event.preventDefault(); });

  document.addEventListener("DOMContentLoaded", async () => {
    if (!bar()) return;
    await refresh();
    setInterval(refresh, bar().dataset.kind === "sip" ? DESK_EVERY_MS : STATE_EVERY_MS);
    setInterval(tick, 500);
    if (bar().dataset.kind !== "webrtc") return;
    line = new PhoneLine({ changed: drawCalls, tell, rang, over, measured });
    try { line.connect(await ask("POST", "/phone/credentials")); } catch (error) { line.state = "away"; tell("order_failed", error.message); }
    drawCalls();
  });
})();
