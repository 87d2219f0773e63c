(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const board = $("board"), overlay = $("pen");
  const ink = board.getContext("2d", {willReadFrequently: true}), mark = overlay.getContext("2d");
  const SIDE = board.width, UNDONE = 30, WAIT = 60; // pixels, drawings kept, milliseconds
  const make = (name, properties, ...children) => {
    const found = Object.assign(document.createElement(name), properties);
    found.append(...children);
    return found;
  };

  // ---- Asking: one request at a time; while it is under way the newest picture waits.
  let isAsking = false, waiting = null, asked = 0, timer = 0;
  const ask = (body, type) => {
    asked += 1;
    waiting = {body, type, number: asked};
    if (!isAsking) void next();
  };
  const next = async () => {
    isAsking = true;
    while (waiting) {
      const {body, type, number} = waiting;
      waiting = null;
      try {
        const answer = await fetch("/api/predict?maps=1", {method: "POST", headers: {"Content-Type": type}, body: await body()});
        const found = await answer.json();
        if (number === asked) { if (answer.ok) show(found); else refused(found.error); }
      } catch {
        if (number === asked) refused("The server does not answer. Is it still running?");
      }
    }
    isAsking = false;
  };

  // ---- Showing
  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  const say = (text, isError = false) => {
    $("status").textContent = text;
    $("status").classList.toggle("error", isError);
  };
  const forget = () => {
    $("bars").replaceChildren();
    $("steps").textContent = "";
    $("sight").hidden = true;
  };
  const refused = (reason) => { forget(); say(reason, true); };
  const bar = (label, share, text, isFirst) => {
    const length = make("i");
    length.style.width = `${100 * Math.min(Math.max(share, 0), 1)}%`;
    return make("li", {className: isFirst ? "first" : ""}, make("span", {className: "label", textContent: label}),
      make("span", {className: "bar"}, length), make("span", {className: "number", textContent: text}));
  };
  const show = (found) => {
    const told = found.predictions ?? [];
    const [first] = told;
    if (found.boxes) say(found.boxes.length ? `${found.boxes.length} found` : "Nothing found");
    else if (found.objects) say(found.objects.length ? `${found.objects.length} marked: ${percent(found.share)} of the pixels` : "Nothing marked");
    else if (first?.target !== undefined) say(`${first.target}: ${first.value.toPrecision(5)}`);
    else if (first?.label !== undefined) say(told.filter((one) => one.is_so).map((one) => one.label).join(", ") || "None of the labels");
    else say(`${first.class}, ${percent(first.probability)}`);
    const boxes = (found.boxes ?? []).slice(0, 20).map((one, k) => bar(one.class, one.score, percent(one.score), k === 0));
    const bars = told.map((one, k) => one.target === undefined
      ? bar(one.class ?? one.label, one.probability, percent(one.probability), one.is_so ?? k === 0)
      : bar(one.target, 0, one.value.toPrecision(5), k === 0));
    $("bars").replaceChildren(...bars, ...boxes);
    $("steps").textContent = found.steps?.length ? `The picture was ${found.steps.join(", ")}.` : "";
    const maps = (found.maps ?? []).map((layer) => make("figure", {},
      make("figcaption", {textContent: `${layer.layer}: ${layer.pictures.length} of ${layer.count} maps of ${layer.width} x ${layer.height}`}),
      make("div", {className: "tiles"}, ...layer.pictures.map((src, k) => make("img", {src, alt: `map ${k} of ${layer.layer}`})))));
    const input = found.input ? [make("figure", {}, make("figcaption", {textContent: "the picture, as the network gets it"}),
      make("div", {className: "tiles"}, make("img", {src: found.input, alt: "the picture as the network gets it", className: "input"})))] : [];
    const drawn = found.drawn ? [make("img", {src: found.drawn, className: "drawn", alt: "the picture with what was found"})] : [];
    $("maps").replaceChildren(...drawn, ...input, ...maps);
    $("sight-help").hidden = !maps.length;
    $("sight").hidden = !(maps.length || input.length || drawn.length);
  };

  // ---- Drawing
  const past = [];
  let finger = null, at = null, isBlank = true;  // which finger or pen draws: a palm that comes down beside it does not
  const clear = () => { ink.fillStyle = "#fff"; ink.fillRect(0, 0, SIDE, SIDE); isBlank = true; };
  const keep = () => {
    past.push({pixels: ink.getImageData(0, 0, SIDE, SIDE), isBlank});
    if (past.length > UNDONE) past.shift();
    $("undo").disabled = false;
  };
  const line = (from, to) => {
    Object.assign(ink, {lineWidth: Number($("width").value), lineCap: "round", lineJoin: "round", strokeStyle: "#000"});
    ink.beginPath();
    ink.moveTo(from.x, from.y);
    ink.lineTo(to.x + (from.x === to.x && from.y === to.y ? 0.01 : 0), to.y);
    ink.stroke();
    isBlank = false;
    later();
  };
  const png = () => new Promise((done) => { board.toBlob(done, "image/png"); });
  const later = () => { timer ||= setTimeout(() => { timer = 0; drawn(); }, WAIT); };
  const drawn = () => {
    picture(null);
    if (isBlank) { asked += 1; waiting = null; forget(); say("Nothing drawn yet."); } else ask(png, "image/png");
  };
  const place = (event) => {
    const {left, top, width, height} = board.getBoundingClientRect();
    return {x: (event.clientX - left) * SIDE / width, y: (event.clientY - top) * SIDE / height};
  };
  board.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || finger !== null) return;
    finger = event.pointerId;
    board.setPointerCapture(finger);
    keep();
    at = place(event);
    line(at, at);
  });
  board.addEventListener("pointermove", (event) => {
    if (event.pointerId !== finger) return;
    for (const one of event.getCoalescedEvents?.() ?? [event]) { const to = place(one); line(at, to); at = to; }
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    board.addEventListener(name, (event) => { if (event.pointerId === finger) finger = null; });
  }
  const undo = () => {
    const before = past.pop();
    if (before) { ink.putImageData(before.pixels, 0, 0); isBlank = before.isBlank; drawn(); }
    $("undo").disabled = !past.length;
  };
  const wipe = () => { if (!isBlank) keep(); clear(); drawn(); };
  $("clear").addEventListener("click", wipe);
  $("undo").addEventListener("click", undo);
  $("undo").disabled = true;

  // By keyboard: a pen that is moved, set down and lifted.
  let pen = {x: SIDE / 2, y: SIDE / 2}, isDown = false;
  const showPen = () => {
    mark.clearRect(0, 0, SIDE, SIDE);
    if (document.activeElement !== board || !board.matches(":focus-visible")) return;
    Object.assign(mark, {lineWidth: 2, strokeStyle: isDown ? "#b3261e" : "#2563a8"});
    mark.beginPath();
    mark.arc(pen.x, pen.y, Number($("width").value) / 2, 0, 2 * Math.PI);
    mark.stroke();
  };
  const STEPS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
  board.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      if ((event.ctrlKey || event.metaKey) && event.key === "z") { event.preventDefault(); undo(); }
      return;
    }
    const step = STEPS[event.key];
    if (step) {
      const by = event.shiftKey ? 1 : 8, inside = (value) => Math.min(Math.max(value, 0), SIDE);
      const to = {x: inside(pen.x + by * step[0]), y: inside(pen.y + by * step[1])};
      if (isDown) line(pen, to);
      pen = to;
    } else if (event.key === " ") {
      isDown = !isDown;
      if (isDown) { keep(); line(pen, pen); }
      if (!event.repeat) board.setAttribute("aria-label", `Drawing area, pen ${isDown ? "down" : "up"}`);
    } else if (event.key === "Delete" || event.key === "Backspace") wipe();
    else return;
    event.preventDefault();
    showPen();
  });
  for (const name of ["focus", "blur"]) board.addEventListener(name, () => { if (name === "blur") isDown = false; showPen(); });
  $("width").addEventListener("input", showPen);

  // ---- Pictures: dropped, pasted, chosen
  let address = null;
  const picture = (file) => {
    if (address) URL.revokeObjectURL(address);
    address = file ? URL.createObjectURL(file) : null;
    $("preview").hidden = !file;
    if (file) Object.assign($("preview"), {src: address, alt: `the picture ${file.name ?? ""}`}); else $("preview").removeAttribute("src");
  };
  const take = (file) => {
    if (!file) return;
    picture(file);
    say(`Reading ${file.name || "the picture"} ...`);
    ask(async () => file, file.type.startsWith("image/") ? file.type : "application/octet-stream");
  };
  const drop = $("drop");
  document.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer?.files[0]);
  });
  document.addEventListener("paste", (event) => take(event.clipboardData?.files[0]));
  $("file").addEventListener("change", (event) => { take(event.target.files[0]); event.target.value = ""; });
  $("preview").addEventListener("error", () => { $("preview").hidden = true; });

  // ---- The network
  const introduce = async () => {
    const told = await (await fetch("/api/model")).json();
    document.title = `${told.name}: fastcnn serve`;
    $("name").textContent = told.name;
    $("what").textContent = told.what;
  };
  clear();
  $("address").textContent = location.origin;
  introduce().catch(() => say("The server does not answer. Is it still running?", true));
})();
