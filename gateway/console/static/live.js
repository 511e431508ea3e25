// Shows the page's figures anew every so often, while somebody looks and wants it. Without this
// script there is a link that does the same once.
const frame = document.querySelector("[data-refresh-s]");
const wanted = document.querySelector("#refresh");

async function refresh() {
  const shown = document.querySelector("#live");
  const busy = shown.contains(document.activeElement);
  if (document.hidden || !wanted.checked || busy) return;
  const answer = await fetch(location.href).catch(() => null);
  if (answer === null) return;
  if (answer.redirected) {
    location.reload(); // the session is over
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("#live");
  if (fresh !== null) shown.replaceWith(fresh);
}

document.querySelector("#refreshing").hidden = false;
setInterval(refresh, Number(frame.dataset.refreshS) * 1000);
