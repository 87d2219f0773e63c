(() => {
  "use strict";
  document.documentElement.classList.add("has-script");

  const make = (name, text) => Object.assign(document.createElement(name), {textContent: text ?? ""});
  const percent = (share) => `${(100 * share).toFixed(share >= 0.1 || share === 0 ? 1 : 2)} %`;
  const save = (text, kind, name) => {
    const link = make("a");
    link.href = URL.createObjectURL(new Blob([text], {type: kind}));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  // Wilson's interval, as fastcnn.report.wilson has it.
  const wilson = (count, total) => {
    const z = 1.959964, p = count / total, square = z * z / total;
    const middle = p + square / 2, half = Math.sqrt(p * (1 - p) * square + square * square / 4);
    return [Math.max(middle - half, 0) / (1 + square), Math.min((middle + half) / (1 + square), 1)];
  };

  const tagging = document.getElementById("tagging");
  if (tagging) {
    const cards = [...document.querySelectorAll("#to-tag > li")];
    const error = Number(tagging.dataset.error);
    const key = `fastcnn-tags:${tagging.dataset.run}:${cards.map((card) => card.dataset.example).join("|").slice(0, 2000)}`;
    const made = tagging.dataset.tags + tagging.dataset.examples; // what the page was made with: another page, another memory
    let tags = JSON.parse(tagging.dataset.tags);
    let examples = new Map(Object.entries(JSON.parse(tagging.dataset.examples)));

    const remember = () => {
      try { localStorage.setItem(key, JSON.stringify({made, tags, examples: Object.fromEntries(examples)})); } catch { /* no storage */ }
    };
    const recall = () => {
      try { return JSON.parse(localStorage.getItem(key)); } catch { return null; }
    };
    const take = (given) => {
      if (!given || !Array.isArray(given.tags) || typeof given.examples !== "object") return false;
      const some = (list) => (Array.isArray(list) ? list : []).filter((tag) => typeof tag === "string");
      examples = new Map(Object.entries(given.examples).map(([name, list]) => [name, some(list)]));
      tags = [...new Set([...some(given.tags), ...[...examples.values()].flat()])];
      return true;
    };
    const kept = recall();
    if (kept?.made === made) take(kept);

    const toggle = (example, tag) => {
      const has = new Set(examples.get(example) ?? []);
      if (tag === null) {
        if (examples.has(example) && !has.size) examples.delete(example); else examples.set(example, []);
      } else {
        if (has.has(tag)) has.delete(tag); else has.add(tag);
        if (has.size) examples.set(example, [...has]); else examples.delete(example);
      }
      remember();
      show();
    };
    const chip = (text, isOn, press) => {
      const button = make("button", text);
      button.type = "button";
      button.setAttribute("aria-pressed", String(isOn));
      button.addEventListener("click", press);
      return button;
    };
    const show = () => {
      for (const card of cards) {
        const example = card.dataset.example, has = examples.get(example);
        const focused = [...card.querySelectorAll(".chips button")].indexOf(document.activeElement);
        const chips = card.querySelector(".chips");
        chips.replaceChildren(...tags.map((tag) => chip(tag, Boolean(has?.includes(tag)), () => toggle(example, tag))),
          ...(tags.length ? [chip("none", Boolean(has && !has.length), () => toggle(example, null))] : []));
        if (focused >= 0) chips.children[focused]?.focus();
      }
      const table = document.getElementById("tag-table"), total = examples.size;
      table.hidden = !tags.length;
      document.getElementById("tag-count").textContent = `${total} looked at`;
      const counted = tags.map((tag) => [tag, [...examples.values()].filter((has) => has.includes(tag)).length]);
      counted.sort((a, b) => b[1] - a[1]);
      table.tBodies[0].replaceChildren(...counted.map(([tag, count]) => {
        const row = make("tr"), name = make("th", tag), share = total ? count / total : 0;
        name.scope = "row";
        const [low, high] = total ? wilson(count, total) : [0, 1];
        const cells = [String(count), `${percent(share)} [${percent(low)}, ${percent(high)}]`, percent(error * (1 - share))];
        row.append(name, ...cells.map((text) => Object.assign(make("td", text), {className: "number"})));
        return row;
      }));
    };
    const field = document.getElementById("new-tag");
    const add = () => {
      const tag = field.value.trim();
      if (tag && !tags.includes(tag) && tags.length < 40) { tags.push(tag); remember(); show(); }
      field.value = "";
      field.focus();
    };
    document.getElementById("add-tag").addEventListener("click", add);
    field.addEventListener("keydown", (event) => { if (event.key === "Enter") add(); });
    document.getElementById("save-tags").addEventListener("click", () => save(
      `${JSON.stringify({tags, examples: Object.fromEntries(examples), part: "dev"}, null, 1)}\n`, "application/json", "tags.json"));
    document.getElementById("load-tags").addEventListener("change", async (event) => {
      const [file] = event.target.files;
      let given = null;
      try { given = file && JSON.parse(await file.text()); } catch { given = null; }
      if (take(given)) { remember(); show(); } else if (file) document.getElementById("tag-count").textContent = `${file.name} has no tags`;
      event.target.value = "";
    });
    document.getElementById("to-tag").addEventListener("keydown", (event) => {
      const card = event.target.closest("li"), place = cards.indexOf(card);
      if (event.altKey || event.ctrlKey || event.metaKey || place < 0) return;
      const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
      if (step) cards[Math.min(Math.max(place + step, 0), cards.length - 1)].focus();
      else if (event.key === "0" && tags.length) toggle(card.dataset.example, null);
      else if (/^[1-9]$/.test(event.key) && tags[event.key - 1] !== undefined) toggle(card.dataset.example, tags[event.key - 1]);
      else return;
      event.preventDefault();
    });
    show();
  }

  const buttons = [...document.querySelectorAll(".corrections button")];
  if (buttons.length) {
    const told = document.getElementById("correction-count");
    const cell = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    for (const button of buttons) {
      button.addEventListener("click", () => {
        button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
        told.textContent = `${buttons.filter((one) => one.getAttribute("aria-pressed") === "true").length} corrected`;
      });
    }
    document.getElementById("save-corrections").addEventListener("click", () => {
      const rows = buttons.filter((one) => one.getAttribute("aria-pressed") === "true")
        .map(({dataset}) => [dataset.example, dataset.label, dataset.correct]);
      save([["example", "label", "correct"], ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n",
        "text/csv", "corrections.csv");
    });
  }
})();
