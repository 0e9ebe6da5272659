// The home page: a search over the questions to start from. Every word must be there.

const input = document.querySelector("#preset-search");
const topics = [...document.querySelectorAll(".topic")];
const wasOpen = topics.map((topic) => topic.open);

function find() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const [place, topic] of topics.entries()) {
    const cards = [...topic.querySelectorAll("[data-words]")];
    for (const card of cards) card.hidden = !words.every((word) => card.dataset.words.includes(word));
    const found = cards.filter((card) => !card.hidden).length;
    count += found;
    topic.hidden = found === 0;
    topic.open = words.length ? found > 0 : wasOpen[place];
  }
  const place = document.querySelector("#preset-count");
  if (!words.length) place.textContent = "";
  else if (count) place.textContent = `${count} question${count === 1 ? "" : "s"}`;
  else place.textContent = "No question has all of these words. Try fewer, or start from an empty form.";
}

input.addEventListener("input", find);
input.closest("[hidden]").hidden = false;
find(); // the browser may have kept what was typed
