import { enableActs } from "./acts.js";
import { enableKeys } from "./keys.js";
import { enableRefresh } from "./refresh.js";
import { enableLive } from "./live.js";
import { enableTail } from "./tail.js";
import { enableFilters } from "./filters.js";
import { enableTheme } from "./switch.js";
import { enableMachine } from "./machine.js";
import { enableCopy } from "./copy.js";

enableTheme();
enableKeys();
enableActs(document);
enableCopy(document);
enableFilters();
enableTail();
enableMachine();
enableRefresh();
enableLive();
