// Package simulation runs the whole services of an example without Kafka, one durable
// step after the other, and crashes them between any two.
//
// A durable step is a transaction of a service that commits: a request's, a handled
// message's, a timer's. At a step the process crashes before the commit, so that
// everything is rolled back, or after it, so that nobody learns that it was done; then
// it starts anew on its database, the message comes again, the client asks again. No
// inbox is between, so what holds here holds for duplicates that come days later.
// Messages are handled in the order in which they were sent, or overtake each other
// (those of one topic and key do not); timers fire when nothing else is left to do, or
// early. In the end the invariants are recomputed from the databases.
//
// A Plan says what happens, and the same plan does the same again.
package simulation
