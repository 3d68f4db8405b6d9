// Puts the page on the screen.
import { createRoot } from "react-dom/client";

import "graphiql/style.css";
import "./page.css";
import { App } from "./app";

const page = document.getElementById("page");
if (page === null) throw new Error("index.html has no element with the id 'page'");
createRoot(page).render(<App />);
