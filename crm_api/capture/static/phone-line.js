"use strict";
/* The line: registration and calls over JsSIP, with their sound. It knows nothing of the page. */
(() => {
  const CONSTRAINTS = { audio: true, video: false };
  const GATHER_MS = 400, AGAIN_MS = 150, TRIES = 30;

  /* An offer that is under way (hold, then resume at once) refuses the next one: it is tried again. */
  function offer(what, tries = TRIES) { if (!what() && tries) setTimeout(() => offer(what, tries - 1), AGAIN_MS); }

  class Call {
    constructor(line, session, number, incoming) {
      Object.assign(this, { line, session, number, incoming, doing: incoming ? "incoming" : "outgoing", since: Date.now() });
      Object.assign(this, { muted: false, mixing: null, sent: 0, received: 0, lost: 0, audio: new Audio() });
      this.audio.autoplay = true;
      if (session.connection) this.#hear(session.connection);
      session.on("peerconnection", ({ peerconnection }) => this.#hear(peerconnection));
      // Waiting for every candidate costs seconds where a network has many addresses.
      let gathered = 0;
      session.on("icecandidate", (event) => { clearTimeout(gathered); gathered = setTimeout(event.ready, GATHER_MS); });
      session.on("accepted", () => this.#to("talking"));
      session.on("hold", () => this.#to("held"));
      session.on("unhold", () => this.#to("talking"));
      session.on("getusermediafailed", () => line.tell("no_microphone"));
      session.on("ended", () => this.#over(null));
      session.on("failed", ({ originator, cause }) => this.#over(originator === "local" || cause === "Canceled" ? null : cause));
      this.meter = setInterval(() => this.#measure(), 1000);
    }
    #hear(connection) {
      connection.addEventListener("track", (event) => {
        this.audio.srcObject = event.streams[0] || new MediaStream([event.track]);
      });
    }
    #to(doing) {
      if (this.doing !== "talking" && doing === "talking") this.since = this.answered ? this.since : Date.now();
      if (doing === "talking") this.answered = true;
      this.doing = doing;
      this.line.changed();
    }
    #over(problem) {
      clearInterval(this.meter);
      this.audio.srcObject = null;
      this.line.calls.delete(this);
      this.line.unmix();
      this.line.over(this);
      if (problem) this.line.tell("failed", problem);
      // A consultation that came to nobody: back to the caller who waits.
      const [left] = this.line.calls;
      if (problem && !this.incoming && this.line.calls.size === 1 && left.doing === "held") left.resume();
      this.line.changed();
    }
    async #measure() {
      const connection = this.session.connection;
      if (!connection || connection.connectionState === "closed") return;
      for (const report of (await connection.getStats()).values()) {
        if (report.type === "outbound-rtp") this.sent = report.packetsSent;
        if (report.type === "inbound-rtp") { this.received = report.packetsReceived; this.lost = report.packetsLost; }
      }
      this.line.measured(this);
    }
    get heard() { return this.session.connection.getReceivers().find((each) => each.track.kind === "audio").track; }
    get rings() { return this.doing === "incoming"; }
    answer() {
      for (const other of this.line.calls) if (other !== this) other.hold();
      this.session.answer({ mediaConstraints: CONSTRAINTS, pcConfig: { iceServers: [] } });
    }
    end() { if (!this.session.isEnded()) this.session.terminate(this.rings ? { status_code: 486 } : {}); }
    hold() { if (this.doing === "talking") offer(() => this.session.isEnded() || this.session.hold()); }
    resume() { if (this.doing === "held") offer(() => this.session.isEnded() || this.session.unhold()); }
    toggleHold() {
      if (this.doing !== "held") { this.hold(); return; }
      for (const other of this.line.calls) if (other !== this) other.hold();
      this.resume();
    }
    toggleMute() {
      this.muted = !this.muted;
      if (this.line.mix) this.line.mix.voice.gain.value = this.muted ? 0 : 1;
      else if (this.muted) this.session.mute({ audio: true });
      else this.session.unmute({ audio: true });
      this.line.changed();
    }
    tone(key) { this.session.sendDTMF(key, { transportType: "RFC2833", duration: 120, interToneGap: 80 }); }
    transfer(target, other) {
      const handlers = {
        accepted: () => { this.end(); other?.end(); },
        failed: ({ status_line }) => this.#keep(status_line?.reason_phrase || ""),
        requestFailed: ({ cause }) => this.#keep(cause),
      };
      this.handedOn = true;
      const whom = other ? other.session.remote_identity.uri : this.line.address(target);
      try { this.session.refer(whom, { eventHandlers: handlers, ...(other ? { replaces: other.session } : {}) }); } catch (error) { this.#keep(error.message); }
    }
    #keep(why) {
      this.handedOn = false;
      this.line.tell("transfer_failed", why);
    }
  }

  class Line {
    /* hooks: changed(), tell(what, detail), rang(call), over(call), measured(call) */
    constructor(hooks) {
      Object.assign(this, hooks);
      this.calls = new Set();
      this.state = "connecting";
    }
    connect({ agent, secret, socket }) {
      this.host = new URL(socket.replace(/^ws/, "http")).hostname;
      const options = { uri: `sip:${agent}@${this.host}`, password: secret, register_expires: 120, session_timers: false };
      this.ua = new JsSIP.UA({ ...options, sockets: [new JsSIP.WebSocketInterface(socket)], connection_recovery_max_interval: 4 });
      const to = (state) => () => { this.state = state; this.changed(); };
      this.ua.on("registered", to("registered"));
      this.ua.on("unregistered", to("connecting"));
      this.ua.on("registrationFailed", ({ response }) => to(response ? "refused" : "away")());
      this.ua.on("disconnected", to("away"));
      this.ua.on("newRTCSession", ({ originator, session }) => {
        if (originator !== "remote") return;
        const told = session.remote_identity;
        const call = new Call(this, session, told.uri.user, true);
        call.name = told.display_name || "";
        this.calls.add(call);
        this.rang(call);
        this.changed();
      });
      this.ua.start();
    }
    stop() { this.ua?.stop(); }
    address(target) { return `sip:${target}@${this.host}`; }
    dial(target) {
      for (const call of this.calls) call.hold();
      const session = this.ua.call(this.address(target), { mediaConstraints: CONSTRAINTS, pcConfig: { iceServers: [] } });
      const call = new Call(this, session, target, false);
      this.calls.add(call);
      this.changed();
      return call;
    }
    other(call) { return [...this.calls].find((each) => each !== call && each.answered); }

    /* Three people: each of the two hears the microphone and the other one. */
    async conference() {
      const both = [...this.calls].filter((call) => call.answered);
      if (both.length !== 2 || this.mix) return;
      const context = new AudioContext(), voice = context.createGain();
      const microphone = await navigator.mediaDevices.getUserMedia(CONSTRAINTS);
      context.createMediaStreamSource(microphone).connect(voice);
      this.mix = { context, voice, microphone, calls: both };
      for (const call of both) {
        call.resume();
        const out = context.createMediaStreamDestination();
        voice.connect(out);
        context.createMediaStreamSource(new MediaStream([both.find((each) => each !== call).heard])).connect(out);
        const sender = call.session.connection.getSenders().find((each) => each.track?.kind === "audio");
        call.own = sender.track;
        await sender.replaceTrack(out.stream.getAudioTracks()[0]);
      }
      this.changed();
    }
    unmix() {
      const mix = this.mix;
      if (!mix) return;
      this.mix = null;
      for (const call of mix.calls) {
        if (call.session.isEnded()) continue;
        call.session.connection.getSenders().find((each) => each.track?.kind === "audio")?.replaceTrack(call.own);
      }
      for (const track of mix.microphone.getTracks()) track.stop();
      mix.context.close();
    }
  }
  window.PhoneLine = Line;
})();
