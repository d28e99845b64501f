import { $, empty, fill } from "./pinwheel.js";

fill($("#content"), empty("Nothing here yet", "This page is not built yet."));
