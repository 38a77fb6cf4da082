// Package sagatest runs a saga's definition through every interleaving of answers,
// duplicates, time-outs, crashes, cancels and operators' acts, up to bounds, and holds
// your invariants against each step of each.
//
// A Model is the definition, the participants as small functions on a world W, and the
// invariants. Check explores it in a test:
//
//	func TestOrderSaga(t *testing.T) {
//		report := sagatest.Check(t, orderModel())
//		t.Log(report)
//	}
//
// What fails is shown by a shortest schedule, in words and as a Go test that repeats it
// (see Replay), to be pasted next to the first and kept once the definition is right.
//
// The exploration is deterministic and breadth-first; states that are the same in all
// that matters are visited once, however many schedules lead to them. Nothing is
// random, nothing waits: time is the model's own, and moves when a timer fires.
//
// What it can find are mistakes of the definition and of the protocol between the
// services. It runs no database, no Kafka and no handler of yours; those want tests of
// their own.
package sagatest
