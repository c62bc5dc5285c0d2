// Shows the document beside this page. No validator is asked: that would be another host.

// Swagger UI copies every schema into every place that refers to it. Extensions hold each other without end, so the page
// shows them by their names alone; the document itself has them.
function trim(document) {
  const shallow = { type: "array", items: { type: "object", title: "Extension" } };
  for (const schema of Object.values(document.components.schemas)) {
    for (const name of Object.keys(schema.properties ?? {})) {
      if (name.startsWith("_")) {
        delete schema.properties[name];
      } else if (name === "extension" || name === "modifierExtension") {
        schema.properties[name] = { ...shallow, description: schema.properties[name].description };
      }
    }
  }
  return document;
}

async function show() {
  const answer = await fetch("../openapi.json");
  if (!answer.ok) {
    throw new Error(`openapi.json: ${answer.status}`);
  }
  SwaggerUIBundle({
    spec: trim(await answer.json()),
    dom_id: "#page",
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    docExpansion: "none",
    filter: true,
    queryConfigEnabled: false,
    tryItOutEnabled: true,
    validatorUrl: null,
  });
}

show().catch((error) => {
  document.getElementById("page").textContent = `The document cannot be shown: ${error.message}`;
});
