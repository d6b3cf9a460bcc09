// Everything the browser does by itself, in the order it takes effect.
import "@digdir/designsystemet-web";
import "htmx.org";
import { watchCurves } from "./curves";
import { watchDrafts } from "./drafts";
import { watchForms } from "./forms";
import { watchIdle } from "./idle";
import { watchKeys } from "./keys";
import { watchLive } from "./live";
import { watchLeaving } from "./offline_leaving";
import { watchPalette } from "./palette";
import { watchPasskeys } from "./passkeys";
import { watchRequests } from "./requests";
import { showSection } from "./sections";
import { watchTheme } from "./theme";

watchRequests();
watchTheme();
watchKeys();
watchPalette();
watchDrafts();
watchForms();
watchCurves();
watchLive();
watchIdle();
watchPasskeys();
void watchLeaving();
showSection();
