// Renders the page.
import { createRoot } from "react-dom/client";

import "graphiql/style.css";
import "./page.css";
import { App } from "./app";

// A dialog adds a style sheet, which the page's policy accepts with this nonce.
const nonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content;
Object.assign(globalThis, { __webpack_nonce__: nonce });

const page = document.getElementById("page");
if (page === null) throw new Error("index.html has no element with the id 'page'");
createRoot(page).render(<App />);
