/* Steps through a backward pass that was recorded and laid out beforehand: no library, no network, no kernel.
   Every stepper on the page is found by its class and set up once; nothing here depends on where it stands. */
(() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const escape = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
  const minus = (text) => text.replace(/(^|[^e\w])-(?=[\d.i])/g, "$1−");

  /* A number in MathML; in parentheses after a dot if it is negative; words if it is an array. */
  const number = (text, inside) => {
    if (/^-?[\d.]+(e[+-]?\d+)?$/.test(text)) {
      const [, sign, digits, power] = text.match(/^(-?)([\d.]+)(?:e\+?(-?\d+))?$/);
      let out = `<mn>${digits}</mn>`;
      if (power) out = `<mrow>${out}<mo>·</mo><msup><mn>10</mn>${number(String(+power))}</msup></mrow>`;
      if (sign) out = `<mrow><mo>−</mo>${out}</mrow>`;
      return sign && inside ? `<mrow><mo>(</mo>${out}<mo>)</mo></mrow>` : out;
    }
    const words = `<mtext>${escape(minus(text))}</mtext>`;
    return text === "-inf" && inside ? `<mrow><mo>(</mo>${words}<mo>)</mo></mrow>` : words;
  };
  /* A formula in pieces, between which a narrow page can break the line. */
  const mathematics = (...parts) => parts.map((part) => `<math>${part}</math>`).join(" ");
  const slope = (of, by) => `<mfrac><mrow><mo>∂</mo>${of}</mrow><mrow><mo>∂</mo>${by}</mrow></mfrac>`;

  function setUp(host) {
    const data = JSON.parse(host.querySelector(".ags-data").textContent);
    const { nodes, steps, words, thumbs, top } = data;
    const find = (name) => host.querySelector(`.ags-${name}`);
    find("controls").outerHTML = find("controls").textContent;
    const panel = document.createElement("div");
    panel.className = `ags-panel${data.arrays ? " ags-arrays" : ""}`;
    panel.setAttribute("aria-live", "polite"), panel.setAttribute("aria-atomic", "true");
    host.querySelector("details").before(panel);
    const view = find("view"), picture = view.querySelector("img");
    const total = steps.length, root = nodes.length - 1;
    let at = -1, timer = 0, told = "";

    /* ---------------------------------------------------------------- the picture, from the image into the page */
    let world = null, boxes = [], edges = [], pill = null, svg = null;
    if (picture) {
      const source = decodeURIComponent(picture.src.slice(picture.src.indexOf(",") + 1));
      svg = document.importNode(new DOMParser().parseFromString(source, "image/svg+xml").documentElement, true);
      const size = svg.viewBox.baseVal;
      view.width = size.width, view.height = size.height;
      for (const name of ["viewBox", "width", "height"]) svg.removeAttribute(name);
      svg.setAttribute("role", "img");
      svg.setAttribute("aria-label", picture.alt);
      picture.replaceWith(svg);
      world = svg.querySelector(".world");
      boxes = [...svg.querySelectorAll(".n")].map((g) => ({
        group: g, heat: g.querySelector(".h"), grad: g.querySelector(".g"), count: g.querySelector(".c"),
        x: +g.dataset.x, y: +g.dataset.y, w: +g.dataset.w, h: +g.dataset.h,
      }));
      edges = [...svg.querySelectorAll(".e")].map((g) => ({ group: g, label: g.querySelector("text"), x: +g.dataset.x, y: +g.dataset.y }));
      pill = document.createElementNS(SVG, "g");
      pill.setAttribute("class", "pill");
      pill.append(document.createElementNS(SVG, "rect"), document.createElementNS(SVG, "text"));
      pill.firstChild.setAttribute("rx", 4);
      pill.lastChild.setAttribute("text-anchor", "middle");
      world.append(pill);
    }

    /* ---------------------------------------------------------------- what every node has at a step */
    const have = nodes.map(() => [null, 0, 0]); // gradient, its size, how many contributions are in
    const before = nodes.map(() => []); // what it was, for the way back
    const paint = (i) => {
      const box = boxes[i], node = nodes[i];
      if (!box || !box.grad) return;
      const [text, size, count] = have[i];
      box.grad.textContent = `grad ${text === null ? "–" : minus(text)}`;
      const bad = text !== null && size === null; // JSON has no NaN
      const share = text === null || bad || !top ? 0 : Math.min(1, Math.sqrt(Math.abs(size) / top));
      box.heat.style.fill = size < 0 ? "var(--below)" : "var(--above)";
      box.heat.style.fillOpacity = share ? `calc(var(--strength) * ${share.toFixed(3)})` : 0;
      box.group.classList.toggle("bad", bad);
      if (box.count) box.count.textContent = `${count} of ${node.uses} in`;
      const mark = box.group.querySelector(".right, .wrong");
      if (mark) mark.style.visibility = count === node.uses ? "visible" : "hidden";
    };
    const receive = (k, forward) => {
      const step = steps[k], box = have[step.to];
      if (forward) before[step.to].push([...box]), box.splice(0, 3, step.card, step.size, step.arrived);
      else box.splice(0, 3, ...before[step.to].pop());
      const edge = edges[step.edge];
      if (edge) {
        edge.group.classList.toggle("done", forward);
        if (edge.label) edge.label.textContent = minus(step.brief);
      }
    };

    /* ---------------------------------------------------------------- the panel */
    const name = (i) => nodes[i].math;
    const equation = (step) => {
      const left = slope(name(root), name(step.to)), sign = `<mo>${step.uses > 1 ? "+=" : "="}</mo>`;
      const rule = words[step.rule], arrays = step.thumbs;
      if (step.local === null) return mathematics(left + sign + rule);
      const times = `<mo>${arrays ? "⊙" : "·"}</mo>`, upstream = slope(name(root), name(step.from));
      const chain = `${left}${sign}${upstream}${times}${slope(name(step.from), name(step.to))}`;
      const parts = [chain];
      const known = rule === number(step.local, true); // the local derivative is a number: say it once
      if (!known && rule !== "<mn>1</mn>") parts.push(`<mo>=</mo>${upstream}${times}${rule}`);
      if (!arrays) parts.push(`<mo>=</mo>${number(step.up)}${times}${number(step.local, true)}`, `<mo>=</mo>${number(step.gives)}`);
      return mathematics(...parts);
    };
    const sentence = (step) => {
      const from = nodes[step.from].name, to = nodes[step.to].name;
      const said = step.local === null
        ? `${to} receives ${step.gives} from ${from}, by the rule of ${nodes[step.from].operation}.`
        : step.thumbs
          ? `${to} receives ${step.gives}: entry by entry, the gradient of ${from} times the local derivative.`
          : `${to} receives ${step.gives}: the gradient of ${from}, ${step.up}, times the local derivative, ${step.local}.`;
      const more = step.note ? ` ${words[step.note]}` : "";
      if (step.uses === 1) return said + more;
      return `${said}${more} That is contribution ${step.arrived} of ${step.uses}; they add up.`;
    };
    const drawThumbs = (step) => {
      const row = document.createElement("div");
      row.className = "ags-thumbs";
      const style = getComputedStyle(host);
      const ink = Object.fromEntries(["box", "below", "above", "bad"].map((n) => [n, style.getPropertyValue(`--${n}`).trim()]));
      [["upstream", 0], ["local", 1], ["contribution", 2], ["gradient so far", 3]].forEach(([title, i]) => {
        if (step.thumbs[i] < 0) return;
        const [rows, columns, cells, shape, most] = thumbs[step.thumbs[i]];
        const canvas = document.createElement("canvas"), px = canvas.getContext("2d");
        canvas.width = columns, canvas.height = rows;
        const side = Math.max(4, Math.min(14, 64 / rows, 160 / columns));
        canvas.style.width = `${columns * side}px`, canvas.style.height = `${rows * side}px`;
        canvas.setAttribute("role", "img");
        canvas.setAttribute("aria-label", `${title}, an array of shape ${shape}, largest entry ${most}`);
        px.fillStyle = ink.box, px.fillRect(0, 0, columns, rows);
        for (let k = 0; k < cells.length; k++) {
          const level = cells.charCodeAt(k) - 79; // from -40 to 40 about "O"
          px.globalAlpha = level === 41 ? 1 : Math.abs(level) / 40;
          px.fillStyle = level === 41 ? ink.bad : level < 0 ? ink.below : ink.above;
          px.fillRect(k % columns, Math.floor(k / columns), 1, 1);
        }
        const figure = document.createElement("figure"), caption = document.createElement("figcaption");
        caption.textContent = `${title} ${shape}`;
        caption.append(document.createElement("br"), `largest ${minus(most)}`);
        figure.append(canvas, caption);
        row.append(figure);
      });
      return row.childElementCount ? row : null;
    };
    const line = (className, html) => {
      const p = document.createElement("p");
      p.className = className, p.innerHTML = html;
      return p;
    };
    const tell = () => {
      const parts = [];
      if (at === 0) {
        parts.push(line("ags-math", mathematics(data.seed === "1" ? `${slope(name(root), name(root))}<mo>=</mo><mn>1</mn>` : number(data.seed))));
        const start = data.seed === "1"
          ? `Every pass starts at the result: the gradient of ${nodes[root].name} with respect to itself is 1.`
          : `This pass starts with the gradient of ${nodes[root].name} that it was given, ${minus(data.seed)}.`;
        parts.push(line("ags-sum", escape(start) + (total ? " Step, to send it backwards." : "")));
      } else {
        const step = steps[at - 1], node = nodes[step.to];
        parts.push(line("ags-math", equation(step)));
        parts.push(line("ags-sum", `grad ${escape(node.name)}: ${escape(minus(step.before === null ? "–" : step.before))} → <b>${escape(minus(step.after))}</b>`
          + (step.uses > 1 ? ` &nbsp;(${step.arrived} of ${step.uses} contributions in)` : "")));
        parts.push(line("ags-sum", escape(minus(sentence(step)))));
        const alarm = [[1, "is not finite"], [2, "is 0: nothing goes on from here"], [4, "explodes: more than 1,000 times that of the result"]]
          .filter(([bit]) => step.flags & bit).map(([, word]) => word)[0];
        if (alarm) parts.push(line("ags-alarm", `⚠ The gradient of ${escape(node.name)} ${alarm}.`));
        if (node.expected !== undefined && step.arrived === step.uses) {
          parts.push(node.right
            ? line("ags-right", `✓ ${escape(node.name)}: ${escape(minus(node.expected))} was expected, and that is right.`)
            : line("ags-wrong", `✗ ${escape(node.name)}: ${escape(minus(node.expected))} was expected, and it is ${escape(minus(step.after))}.`));
        }
        const row = step.thumbs && drawThumbs(step);
        if (row) parts.push(row);
      }
      if (told) parts.push(line("ags-alarm", escape(told)));
      panel.replaceChildren(...parts);
    };

    /* ---------------------------------------------------------------- going to a step */
    const clear = (selector, ...names) => {
      if (svg) for (const g of svg.querySelectorAll(selector)) g.classList.remove(...names);
    };
    const go = (to, said = "") => {
      to = Math.max(0, Math.min(total, to));
      const changed = new Set();
      if (at < 0) {
        at = 0;
        have[root] = [data.card, data.size, 0];
        nodes.forEach((_, i) => changed.add(i));
        clear(".e.done", "done");
      }
      for (; at < to; at++) receive(at, true), changed.add(steps[at].to);
      for (; at > to; at--) receive(at - 1, false), changed.add(steps[at - 1].to);
      changed.forEach(paint);
      clear(".play, .from, .to", "play", "from", "to");
      const step = at ? steps[at - 1] : null;
      if (pill) pill.style.display = step ? "" : "none";
      if (step && svg) {
        const edge = edges[step.edge];
        edge.group.classList.add("play");
        boxes[step.from].group.classList.add("from");
        boxes[step.to].group.classList.add("to");
        const text = step.thumbs || step.local === null ? `upstream ${step.short} ${step.local === null ? "→" : "× local →"} ${step.brief}` : `${step.up} × ${/^-/.test(step.local) ? `(${step.local})` : step.local} = ${step.gives}`;
        const label = minus(text), width = label.length * 6.7 + 12;
        const [rect, shown] = pill.childNodes;
        shown.textContent = label;
        const ends = [boxes[step.from], boxes[step.to]];
        const above = Math.min(...ends.map((b) => b.y - b.h / 2)) - 20, below = Math.max(...ends.map((b) => b.y + b.h / 2)) + 3;
        const hidden = (x, y) => boxes.reduce((sum, b) => { // how much of the nodes the label would hide there
          const across = Math.min(x + width / 2, b.x + b.w / 2) - Math.max(x - width / 2, b.x - b.w / 2);
          const down = Math.min(y + 17, b.y + b.h / 2) - Math.max(y, b.y - b.h / 2);
          return across > 0 && down > 0 ? sum + across * down * (ends.includes(b) ? 3 : 1) : sum;
        }, y < 0 || y + 17 > view.height ? 1e4 : 0);
        let place = [edge.x, edge.y - 21], least = Infinity;
        for (const y of [edge.y - 21, edge.y + 5, above, below, above - 14, below + 14])
          for (const x of [edge.x, edge.x - width / 3, edge.x + width / 3]) {
            const area = hidden(x, y);
            if (area < least) least = area, place = [x, y];
          }
        const [left, top] = place;
        shown.setAttribute("x", left), shown.setAttribute("y", top + 12.5);
        rect.setAttribute("x", left - width / 2), rect.setAttribute("y", top);
        rect.setAttribute("width", width), rect.setAttribute("height", 17);
        follow(edge, boxes[step.from], boxes[step.to]);
      }
      told = said;
      tell();
      find("scrub").value = at;
      find("scrub").setAttribute("aria-valuetext", `step ${at} of ${total}`);
      find("count").textContent = `step ${at} of ${total}`;
      for (const key of ["first", "back"]) find(key).disabled = at === 0;
      for (const key of ["step", "last", "leaf"]) find(key).disabled = at === total;
      host.dataset.step = at;
    };
    const alarmAt = (k) => {
      const flags = steps[k - 1].flags & ((find("nan").checked && 1) | (find("zero").checked && 2) | (find("huge").checked && 4));
      const word = flags & 1 ? "a gradient that is not finite" : flags & 2 ? "a gradient of 0" : "an exploding gradient";
      return flags ? `Stopped at ${word}.` : "";
    };
    /* Run on until a step is what was asked for, or there is an alarm on the way. */
    const run = (wanted) => {
      pause();
      for (let k = at + 1; k <= total; k++) {
        const alarm = alarmAt(k);
        if (alarm || wanted(k) || k === total) return go(k, alarm);
      }
    };
    const complete = (i) => {
      let last = 0;
      steps.forEach((step, k) => { if (step.to === i) last = k + 1; });
      return last;
    };
    const runTo = (i) => {
      const k = complete(i);
      if (k > at) run((at) => at === k);
      else pause(), go(k);
    };
    const pause = () => {
      clearInterval(timer), timer = 0;
      find("play").textContent = "▶ Play";
      find("play").setAttribute("aria-pressed", "false");
    };
    const play = () => {
      if (timer || !total) return pause();
      if (at === total) go(0);
      find("play").textContent = "⏸ Pause";
      find("play").setAttribute("aria-pressed", "true");
      timer = setInterval(() => {
        const alarm = alarmAt(at + 1);
        go(at + 1, alarm);
        if (alarm || at === total) pause();
      }, 900);
    };

    /* ---------------------------------------------------------------- zoom and pan */
    let scale = 1, x = 0, y = 0;
    const place = () => {
      if (!world) return;
      world.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${scale.toFixed(4)})`);
      const larger = Math.max(1, 0.85 / scale), rect = pill.firstChild; // the label can be read at any zoom
      const [cx, cy] = ["x", "y"].map((name, i) => +rect.getAttribute(name) + (i ? 8.5 : rect.getAttribute("width") / 2));
      pill.setAttribute("transform", `translate(${cx * (1 - larger)} ${cy * (1 - larger)}) scale(${larger})`);
    };
    const room = () => [view.clientWidth || 800, view.clientHeight || 300];
    const settle = () => { // the picture stays in sight; what is smaller than the view stands in its middle
      const [w, h] = room();
      const inside = (p, view, size) => (size <= view ? (view - size) / 2 : Math.max(view - size, Math.min(0, p)));
      x = inside(x, w, view.width * scale), y = inside(y, h, view.height * scale);
      place();
    };
    const zoom = (to, cx = room()[0] / 2, cy = room()[1] / 2) => {
      to = Math.max(0.02, Math.min(4, to));
      x = cx - ((cx - x) * to) / scale, y = cy - ((cy - y) * to) / scale;
      scale = to, settle();
    };
    const fitting = () => Math.min(1, room()[0] / view.width, room()[1] / view.height);
    const fit = () => { scale = fitting(), settle(); };
    const follow = (...points) => {
      const [w, h] = room(), xs = points.map((p) => p.x * scale + x), ys = points.map((p) => p.y * scale + y);
      const out = (list, size, margin) => Math.min(...list) < margin || Math.max(...list) > size - 50;
      // Further to the right than the middle, as the way goes to the left.
      if (view.width * scale > w && out(xs, w, w / 6)) x += w * 0.62 - (Math.min(...xs) + Math.max(...xs)) / 2;
      if (view.height * scale > h && out(ys, h, 50)) y += h / 2 - (Math.min(...ys) + Math.max(...ys)) / 2;
      settle();
    };
    if (svg) {
      let from = null, moved = false;
      svg.addEventListener("pointerdown", (event) => { from = [event.clientX, event.clientY], moved = false; });
      svg.addEventListener("pointermove", (event) => {
        if (!from || !event.buttons) return;
        const dx = event.clientX - from[0], dy = event.clientY - from[1];
        if (!moved && Math.abs(dx) + Math.abs(dy) < 5) return;
        if (!moved) svg.setPointerCapture(event.pointerId), svg.classList.add("ags-drag");
        moved = true, x += dx, y += dy, from = [event.clientX, event.clientY];
        settle();
      });
      const drop = () => { from = null, svg.classList.remove("ags-drag"); };
      svg.addEventListener("pointerup", drop), svg.addEventListener("pointercancel", drop);
      svg.addEventListener("click", (event) => {
        const group = event.target.closest(".n");
        if (group && !moved) runTo(+group.dataset.i);
      });
      view.addEventListener("wheel", (event) => { // alone, the wheel scrolls the page
        if (!event.ctrlKey && !event.metaKey) return;
        event.preventDefault();
        const area = view.getBoundingClientRect();
        zoom(scale * Math.exp(-event.deltaY / 300), event.clientX - area.left, event.clientY - area.top);
      }, { passive: false });
      let width = 0;
      new ResizeObserver(() => { // also when a hidden tab or a collapsed output is first shown
        if (!view.clientWidth || view.clientWidth === width) return;
        if (!width && view.width > view.clientWidth) { // before it is first seen: no taller than the picture in it
          const shrunk = Math.max(view.clientWidth / view.width, 0.72);
          view.style.height = `${Math.min(parseFloat(view.style.height), view.height * Math.min(1, shrunk) + 24)}px`;
        }
        width = view.clientWidth;
        scale = Math.max(fitting(), 0.72), settle();
        if (at > 0) go(at, told);
      }).observe(view);
    }

    /* ---------------------------------------------------------------- controls */
    const controls = {
      first: () => { pause(), go(0); }, back: () => { pause(), go(at - 1); }, step: () => { pause(), go(at + 1); },
      last: () => { pause(), go(total); }, play, leaf: () => run((k) => nodes[steps[k - 1].to].leaf && steps[k - 1].arrived === steps[k - 1].uses),
      fit, one: () => { scale = 1, settle(); if (at) go(at, told); }, in: () => zoom(scale * 1.25), out: () => zoom(scale / 1.25),
    };
    for (const [key, action] of Object.entries(controls)) if (find(key)) find(key).addEventListener("click", action);
    const scrub = find("scrub");
    scrub.max = total;
    scrub.addEventListener("input", () => { pause(), go(+scrub.value); });
    const select = find("to");
    nodes.forEach((node, i) => { if (node.uses || i === root) select.add(new Option(node.name, i)); });
    select.addEventListener("change", () => { if (select.value !== "") runTo(+select.value); select.value = ""; });
    const keys = {
      ArrowRight: "step", ArrowDown: "step", ArrowLeft: "back", ArrowUp: "back", Home: "first", End: "last", " ": "play",
      l: "leaf", f: "fit", 1: "one", "+": "in", "-": "out",
    };
    host.addEventListener("keydown", (event) => {
      const own = event.target.closest("select, summary, details pre"), press = event.target.closest("button, input");
      const action = keys[event.key];
      if (!action || own || event.ctrlKey || event.metaKey || event.altKey || (press && event.key === " ")) return;
      event.preventDefault(), event.stopPropagation();
      if (find(action)) controls[action]();
    });
    host.dataset.live = "";
    go(data.start);
    if (svg && !view.clientWidth) settle();
  }

  for (const host of document.querySelectorAll(".autograd-stepper:not([data-live])")) {
    if (host.querySelector(".ags-data")) setUp(host);
  }
})();
