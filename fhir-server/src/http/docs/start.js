// Shows the document beside this page. No validator is asked: that would be another host.
window.addEventListener("load", () => {
  SwaggerUIBundle({
    url: new URL("../openapi.json", window.location.href).href,
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
});
