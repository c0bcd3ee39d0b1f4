// Keys for those who work here all day. Everything they do can be done without them.
//   /        to the field marked data-key="/"
//   j, k     down and up a list marked data-rows; Enter opens, as the focused button always does
//   others   press the button or follow the link marked data-key="…"

const typing = (element) => element.matches("input, select, textarea, [contenteditable]");

function step(by) {
  const doors = [...document.querySelectorAll("[data-rows] [data-open]")];
  if (!doors.length) return false;
  const here = doors.indexOf(document.activeElement);
  doors[Math.min(Math.max(here + by, 0), doors.length - 1)].focus();
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
  let done = false;
  if (event.key === "j" || event.key === "k") done = step(event.key === "j" ? 1 : -1);
  const target = done ? null : document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (target) {
    if (typing(target)) {
      target.focus();
      target.select?.();
    } else {
      target.click();
    }
    done = true;
  }
  if (done) event.preventDefault();
});
