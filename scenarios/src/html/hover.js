// Shows the values of all series where the pointer is: by mouse, finger, or arrow keys. Without it the page is complete.
'use strict';
for (const figure of document.querySelectorAll('figure[data-chart]')) {
  const data = JSON.parse(figure.dataset.chart);
  const plot = figure.querySelector('.plot');
  if (data.x.length === 0) continue;
  const tip = plot.appendChild(document.createElement('div'));
  tip.className = 'tip';
  tip.hidden = true;
  tip.setAttribute('aria-live', 'polite');
  const marks = [...plot.querySelectorAll(':scope > svg')].map((svg) => {
    const group = svg.appendChild(document.createElementNS(svg.namespaceURI, 'g'));
    const [left, top, right, bottom] = svg.dataset.plot.split(' ').map(Number);
    return { svg, group, left, top, right, bottom };
  });
  const visible = () => marks.find(({ svg }) => svg.getBoundingClientRect().width > 0);
  const draw = (mark, name, attributes) => {
    const element = mark.group.appendChild(document.createElementNS(mark.svg.namespaceURI, name));
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  };
  // The place in data.x that is nearest to a share of the axis.
  const nearest = (share) => {
    let best = 0;
    data.x.forEach((x, i) => { if (Math.abs(x - share) < Math.abs(data.x[best] - share)) best = i; });
    return best;
  };
  // A series without a value right there shows its nearest one: any between its ends, only a close one beyond them.
  const close = (series, at) => {
    const known = series.y.flatMap((y, i) => (y === null ? [] : [i]));
    const far = (i) => Math.abs(data.x[i] - data.x[at]);
    if (known.length === 0) return -1;
    const best = known.reduce((best, i) => (far(i) < far(best) ? i : best));
    const between = known[0] <= at && at <= known[known.length - 1];
    return between || far(best) <= 0.02 ? best : -1;
  };
  let at = -1;
  const hide = () => {
    at = -1;
    tip.hidden = true;
    for (const { group } of marks) group.replaceChildren();
  };
  const show = (index) => {
    const mark = visible();
    if (!mark) return;
    if (index !== at) {
      hide();
      at = index;
      const x = mark.left + data.x[at] * (mark.right - mark.left);
      draw(mark, 'path', { class: 'crosshair', d: `M${x} ${mark.top}V${mark.bottom}` });
      tip.replaceChildren();
      tip.appendChild(document.createElement('b')).textContent = data.at[at];
      for (const series of data.series) {
        const i = close(series, at);
        if (i < 0) continue;
        const y = mark.top + series.y[i] * (mark.bottom - mark.top);
        if (series.y[i] >= 0 && series.y[i] <= 1) {
          draw(mark, 'circle', { class: `dot ${series.class}`, cx: mark.left + data.x[i] * (mark.right - mark.left), cy: y, r: 4.5 });
        }
        const line = tip.appendChild(document.createElement('div'));
        line.appendChild(document.createElement('i')).className = series.class;
        line.appendChild(document.createElement('span')).textContent = series.name;
        line.appendChild(document.createElement('span')).textContent = series.text[i];
      }
      tip.hidden = false;
    }
    // Beside the line, on the side with more room.
    const scale = mark.svg.getBoundingClientRect().width / mark.svg.viewBox.baseVal.width;
    const x = (mark.left + data.x[at] * (mark.right - mark.left)) * scale;
    const room = plot.clientWidth - tip.offsetWidth;
    const side = data.x[at] > 0.5 ? x - tip.offsetWidth - 12 : x + 12;
    tip.style.left = `${Math.max(0, Math.min(room, side))}px`;
    tip.style.top = `${mark.top * scale}px`;
  };
  const point = (event) => {
    const mark = visible();
    if (!mark) return;
    const box = mark.svg.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * mark.svg.viewBox.baseVal.width;
    show(nearest((x - mark.left) / (mark.right - mark.left)));
  };
  plot.addEventListener('pointermove', point);
  plot.addEventListener('pointerdown', point);
  plot.addEventListener('pointerleave', hide);
  plot.addEventListener('blur', hide);
  plot.addEventListener('keydown', (event) => {
    const last = data.x.length - 1;
    const to = { ArrowLeft: at < 0 ? last : at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (event.key === 'Escape') hide();
    if (to === undefined) return;
    event.preventDefault();
    show(Math.max(0, Math.min(last, to)));
  });
}
