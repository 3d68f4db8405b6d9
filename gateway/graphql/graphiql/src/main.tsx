// Puts the page on the screen.
import { createRoot } from "react-dom/client";

import "graphiql/style.css";
import "./page.css";
import { App } from "./app";

// Dialogs make a style sheet; the page's policy lets it in by this mark, which the library looks for.
const nonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content;
Object.assign(globalThis, { __webpack_nonce__: nonce });

const page = document.getElementById("page");
if (page === null) throw new Error("index.html has no element with the id 'page'");
createRoot(page).render(<App />);
