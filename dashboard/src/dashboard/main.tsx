// Renders the dashboard.
import { createRoot } from "react-dom/client";

import "./design/tokens.css";
import "./design/frame.css";
import "./design/contents.css";
import "./design/charts.css";
import "./design/controls.css";
import { AnalyticsDashboard } from "./app";

const page = document.getElementById("page");
if (page === null) throw new Error("index.html has no element with the id 'page'");
createRoot(page).render(<AnalyticsDashboard />);
