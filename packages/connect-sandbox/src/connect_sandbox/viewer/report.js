/** Unpack the events that the page carries: base64, gzip, JSON. */
async function unpacked() {
  const bytes = Uint8Array.from(atob(byId("run").textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

unpacked().then(
  (events) => {
    for (const event of events) view.run.add(event);
    open();
    document.body.dataset.ready = "";
  },
  (problem) => {
    byId("nothing").textContent = `The run in this page cannot be read: ${problem.message}`;
  },
);
