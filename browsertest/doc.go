// Package browsertest goes through the console in a real Chromium: a console, an
// in-process broker and the services of examples/orders, and people's journeys
// through the pages. It is a module of its own, so that its dependencies are not
// those of Pabal's users.
//
// PABAL_TEST_CHROMIUM names the browser (the runner of make test finds it);
// PABAL_SCREENSHOTS names a folder for pictures of every page.
package browsertest
