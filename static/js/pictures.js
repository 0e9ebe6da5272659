// The pictures of one run: a card each, with a slider over the outer steps at which it was taken.
// Only what is in sight is loaded; "Latest" follows the run.

import { drawPicture } from "./picture_drawing.js";
import { refreshing } from "./refreshing.js";
import { fillTable } from "./text_table.js";

const FRAME_MS = 800;
const KEPT = 80; // drawings that are held, so that the slider runs freely

export class Pictures extends EventTarget {
  constructor(section) {
    super();
    this.section = section;
    this.grid = section.querySelector("[data-picture-grid]");
    this.cards = new Map();
    this.refresh = refreshing(() => this.#fetch());
    this.watcher = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) this.cards.get(target.dataset.picture).see(isIntersecting);
    });
  }

  start() {
    document.addEventListener("lab:theme", () => this.cards.forEach((card) => card.draw()));
    this.refresh();
  }

  async #fetch() {
    const response = await fetch(this.section.dataset.picturesUrl);
    if (!response.ok) throw new Error(`pictures: ${response.status}`);
    const { pictures } = await response.json();
    const named = new Set(pictures.map(({ name }) => name));
    for (const [name, card] of this.cards) {
      if (named.has(name)) continue;
      card.remove();
      this.cards.delete(name);
    }
    for (const picture of pictures) this.#cardOf(picture.name).update(picture);
    this.section.querySelector("[data-no-pictures]").hidden = pictures.length > 0;
    this.dispatchEvent(new CustomEvent("listed", { detail: pictures.length }));
  }

  #cardOf(name) {
    const known = this.cards.get(name);
    if (known) return known;
    const element = document.querySelector("#picture-template").content.firstElementChild.cloneNode(true);
    element.dataset.picture = name;
    const card = new PictureCard(element);
    this.cards.set(name, card);
    this.grid.append(element);
    this.watcher.observe(element);
    return card;
  }
}

class PictureCard {
  constructor(element) {
    this.element = element;
    this.taken = [];
    this.index = 0;
    this.follows = true;
    this.inSight = false;
    this.drawings = new Map();
    this.slider = this.#find("slider");
    this.slider.addEventListener("input", () => this.#pick(Number(this.slider.value)));
    this.#find("latest").addEventListener("click", () => this.#pick(this.taken.length - 1));
    this.#find("play").addEventListener("click", () => (this.timer ? this.#stop() : this.#play()));
    this.#find("twin").addEventListener("toggle", () => this.#fillTwin());
    // Stepping through is a choice; what moves by itself is not offered where motion is unwelcome.
    this.#find("play").hidden = matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  #find(part) {
    return this.element.querySelector(`[data-${part}]`);
  }

  remove() {
    this.#stop();
    this.element.remove();
  }

  update({ title, kind, taken, left_out: leftOut }) {
    const at = this.taken[this.index]?.step;
    this.taken = taken;
    const last = taken.length - 1;
    const same = taken.findIndex(({ step }) => step >= at);
    this.index = this.follows || same < 0 ? last : same;
    this.element.dataset.kind = kind;
    this.element.querySelector("h3").textContent = title;
    if (!this.drawings.size) this.#find("drawing").setAttribute("aria-label", `${title}: loading`);
    this.slider.max = last;
    this.slider.setAttribute("aria-label", `${title}: outer step`);
    this.#find("export-open").setAttribute("aria-label", `Export ${title}`);
    this.#find("twin").querySelector("[role=region]").setAttribute("aria-label", `${title} in numbers`);
    this.#find("steps").hidden = taken.length < 2;
    this.#find("note").textContent = leftOut
      ? `${taken.length} of ${taken.length + leftOut} steps kept, the first and the last among them`
      : "";
    this.#show();
  }

  see(inSight) {
    this.inSight = inSight;
    if (inSight) this.#load();
    else this.#stop();
  }

  draw() {
    const drawing = this.drawings.get(this.taken[this.index]?.url);
    if (!drawing || !this.inSight) return;
    this.element.removeAttribute("aria-busy");
    drawPicture(this.#find("drawing"), drawing);
    this.#find("text-summary").textContent = drawing.text_summary;
    this.#fillTwin();
  }

  #pick(index) {
    this.index = index;
    this.follows = index === this.taken.length - 1 && !this.timer;
    this.#show();
  }

  #show() {
    const { step } = this.taken[this.index];
    this.slider.value = this.index;
    this.slider.setAttribute("aria-valuetext", `step ${step}`);
    this.#find("latest").setAttribute("aria-pressed", String(this.index === this.taken.length - 1));
    this.#find("picture-step").textContent = `step ${step}`;
    this.#writeExport();
    if (this.inSight) this.#load();
  }

  async #load() {
    const url = this.taken[this.index]?.url;
    if (!url) return;
    if (!this.drawings.has(url)) {
      this.element.setAttribute("aria-busy", "true");
      const response = await fetch(url).catch(() => null);
      // Taken back meanwhile, or the lab is away: the next list says what there is.
      if (!response?.ok) return;
      this.drawings.set(url, await response.json());
      if (this.drawings.size > KEPT) this.drawings.delete(this.drawings.keys().next().value);
    }
    // The slider may have moved on while this one was on its way.
    if (url === this.taken[this.index]?.url) this.draw();
  }

  #play() {
    if (this.index === this.taken.length - 1) this.#pick(0);
    this.#showPlaying(true);
    this.timer = setInterval(() => {
      if (!this.drawings.has(this.taken[this.index].url)) return;
      if (this.index === this.taken.length - 1) this.#stop();
      else this.#pick(this.index + 1);
    }, FRAME_MS);
  }

  #stop() {
    clearInterval(this.timer);
    this.timer = 0;
    this.#showPlaying(false);
    this.follows = this.index === this.taken.length - 1;
  }

  #showPlaying(playing) {
    const button = this.#find("play");
    button.title = playing ? "Pause" : "Play";
    button.setAttribute("aria-label", button.title);
    button.querySelector('[data-when="playing"]').hidden = !playing;
    button.querySelector('[data-when="still"]').hidden = playing;
  }

  #fillTwin() {
    const drawing = this.drawings.get(this.taken[this.index]?.url);
    if (!drawing || !this.#find("twin").open) return;
    const empty = drawing.table.rows.length === 0;
    this.element.querySelector(".chart-twin").hidden = empty;
    fillTable(this.#find("table"), drawing.table);
  }

  // What export_dialog.js offers of this card: the step that is shown.
  #writeExport() {
    const taken = this.taken[this.index];
    if (!taken) return;
    Object.assign(this.element.dataset, {
      exportUrl: `${new URL(taken.url, location.href).pathname}file.`,
      exportTitle: `${this.element.querySelector("h3").textContent}, step ${taken.step}`,
      exportFormats: "svg pdf png json",
    });
  }
}
