// A list under a field of divisions while somebody types: ARIA's combobox with a list, the field keeps the focus.
// Without this script the field takes the same words, and the form asks where they are ambiguous.
// What is typed goes in headers, so that no address holds it.

const WAIT = 120;

for (const field of document.querySelectorAll("input[data-divisions]")) choose(field);

function choose(field) {
  const list = document.createElement("ul");
  const told = document.createElement("p");
  list.id = `${field.id}-list`;
  list.className = "options";
  list.role = "listbox";
  list.hidden = true;
  list.setAttribute("aria-label", field.labels[0]?.textContent.trim() ?? "");
  told.className = "visually-hidden";
  told.role = "status";
  field.after(list, told);
  field.role = "combobox";
  field.autocomplete = "off";
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  let waiting, asking, at = -1;

  const options = () => [...list.children];
  const open = (is) => {
    list.hidden = !is;
    field.setAttribute("aria-expanded", String(is));
    if (!is) point(-1);
  };
  const point = (to) => {
    at = to;
    options().forEach((one, place) => one.setAttribute("aria-selected", String(place === at)));
    if (at < 0) field.removeAttribute("aria-activedescendant");
    else {
      field.setAttribute("aria-activedescendant", options()[at].id);
      options()[at].scrollIntoView({ block: "nearest" });
    }
  };
  const take = (option) => {
    field.value = `${option.dataset.code} ${option.dataset.name}`;
    open(false);
    told.textContent = "";
  };
  const draw = (answer) => {
    list.replaceChildren(...answer.found.map((one, place) => {
      const option = document.createElement("li");
      option.id = `${list.id}-${place}`;
      option.role = "option";
      option.dataset.code = one.code;
      option.dataset.name = one.name;
      for (const [kind, words] of [["whole", one.whole], ["code", one.code], ["soft", one.note]]) {
        if (!words) continue;
        const part = document.createElement("span");
        part.className = kind;
        part.textContent = words;
        option.append(part, " ");
      }
      option.addEventListener("mousedown", (event) => { event.preventDefault(); take(option); });
      return option;
    }));
    told.textContent = answer.told;
    open(answer.found.length > 0);
  };
  const ask = async () => {
    asking?.abort();
    asking = new AbortController();
    const typed = field.value.trim();
    if (!typed) { open(false); told.textContent = ""; return; }
    const day = document.getElementById(field.dataset.day)?.value ?? "";
    try {
      const answer = await fetch(field.dataset.divisions, {
        headers: { "X-Typed": encodeURIComponent(typed), "X-Day": encodeURIComponent(day), Accept: "application/json" },
        signal: asking.signal,
      });
      if (answer.ok) draw(await answer.json());
    } catch (wrong) {
      if (wrong.name !== "AbortError") open(false);
    }
  };

  open(false);
  field.addEventListener("input", (event) => {
    if (event.isComposing) return;
    clearTimeout(waiting);
    waiting = setTimeout(ask, WAIT);
  });
  field.addEventListener("compositionend", ask);
  field.addEventListener("blur", () => { clearTimeout(waiting); asking?.abort(); open(false); });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const many = options().length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) { if (event.key === "ArrowDown") ask(); return; }
      point((at + (event.key === "ArrowDown" ? 1 : at < 0 ? 0 : -1) + many) % many);
    } else if (event.key === "Enter" && !list.hidden && at >= 0) {
      event.preventDefault();
      take(options()[at]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      open(false);
    }
  });
}
