/** The page on the made-up graph alone: put together as always, but never connected to a server. */

import "../../src/pages";
import "../../src/styles/controls.css";
import { assemble } from "../../src/assemble";
import { madeUp } from "./source";

const { session } = assemble(document.getElementById("app")!, "");
session.show(madeUp);
