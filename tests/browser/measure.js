// What a browser makes of the drawings on this page, as JSON in #measured. Runs in tests alone: a drawing has no script.
"use strict";

const fill = (element) => getComputedStyle(element).fill;
const stroke = (element) => getComputedStyle(element).stroke;
const box = (element) => {
  const { x, y, width, height } = element.getBBox();
  return { x, y, right: x + width, bottom: y + height };
};

// Of a box with text: whether each text lies inside, and each colour with what is behind it.
function boxed(group, behind) {
  const rect = group.querySelector(":scope > rect");
  return {
    kind: group.getAttribute("class"),
    shape: box(rect),
    border: [stroke(rect), behind],
    texts: [...group.querySelectorAll(":scope > text")].map((text) => ({
      text: text.textContent, box: box(text), colours: [fill(text), fill(rect)],
    })),
  };
}

function measured(svg) {
  const page = fill(svg.querySelector(".page"));
  const lane = svg.querySelector(".lane rect");
  const of = (selector, behind) => [...svg.querySelectorAll(selector)].map((group) => boxed(group, behind));
  return {
    drawing: box(svg.querySelector(".page")),
    lanes: of(".lane", page),
    nodes: of(".node", lane && fill(lane)),
    routes: of(".route", page),
    labels: of(".label", page),
    lines: [...svg.querySelectorAll(".line")].map((line) => [stroke(line), page]),
    loose: [...svg.querySelectorAll(":scope > text")].map((text) => ({
      text: text.textContent, box: box(text), colours: [fill(text), page],
    })),
  };
}

document.querySelector("#measured").textContent = JSON.stringify({
  dark: matchMedia("(prefers-color-scheme: dark)").matches,
  fetched: performance.getEntriesByType("resource").map((entry) => entry.name),
  drawings: [...document.querySelectorAll("svg")].map(measured),
});
