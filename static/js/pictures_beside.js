// The newest pictures of several runs beside each other: a row a name, a tile a run.

import { drawPicture } from "./picture_drawing.js";
import { refreshing } from "./refreshing.js";

export class PicturesBeside {
  constructor(section, runs) {
    this.section = section;
    this.runs = runs;
    this.tiles = new Map();
    this.refresh = refreshing(() => this.#fetch());
    this.watcher = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          const tile = this.tiles.get(target.dataset.tile);
          tile.inSight = isIntersecting;
          if (isIntersecting) this.#load(tile);
        }
      },
      { rootMargin: "200px" },
    );
  }

  start() {
    document.addEventListener("lab:theme", () => this.tiles.forEach((tile) => this.#draw(tile)));
    this.refresh();
  }

  async #fetch() {
    const response = await fetch(`${this.section.dataset.besideUrl}?runs=${this.runs}`);
    if (!response.ok) throw new Error(`pictures: ${response.status}`);
    const { groups } = await response.json();
    this.section.hidden = !groups.length;
    for (const group of groups) this.#show(group);
  }

  #show({ name, title, tiles, left_out: leftOut }) {
    const groups = this.section.querySelector("[data-picture-groups]");
    let group = groups.querySelector(`[data-group="${CSS.escape(name)}"]`);
    if (!group) {
      group = document.createElement("div");
      group.dataset.group = name;
      group.append(document.createElement("h3"), document.createElement("div"), document.createElement("p"));
      group.children[1].className = "picture-tiles";
      group.lastChild.className = "table-note";
      groups.append(group);
    }
    group.firstChild.textContent = title;
    group.lastChild.textContent = leftOut ? `${leftOut} more runs have this picture.` : "";
    const row = group.children[1];
    // Appending what is there already puts it in its place.
    for (const told of tiles) row.append(this.#tileOf(name, told).element);
  }

  #tileOf(name, told) {
    const key = `${told.run} ${name}`;
    let tile = this.tiles.get(key);
    if (!tile) {
      const element = document.querySelector("#tile-template").content.firstElementChild.cloneNode(true);
      element.dataset.tile = key;
      tile = { element, inSight: false, url: "", drawing: null };
      this.tiles.set(key, tile);
      this.watcher.observe(element);
    }
    const { element } = tile;
    element.querySelector(".run-colour").dataset.colour = told.slot;
    const link = element.querySelector("a");
    link.textContent = told.label;
    if (told.href) link.href = told.href;
    element.querySelector("small").textContent = `seed ${told.seed}, step ${told.step}`;
    if (tile.url !== told.url) {
      tile.url = told.url;
      if (tile.inSight) this.#load(tile);
    }
    return tile;
  }

  async #load(tile) {
    const { url } = tile;
    if (tile.drawn === url) return;
    const response = await fetch(url).catch(() => null);
    if (!response?.ok) return;
    const drawing = await response.json();
    if (url !== tile.url) return;
    Object.assign(tile, { drawing, drawn: url });
    this.#draw(tile);
  }

  #draw({ element, drawing }) {
    if (drawing) drawPicture(element.querySelector("[data-drawing]"), drawing, { small: true });
  }
}
