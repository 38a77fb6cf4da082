// Package streamstest runs a topology in a test without a broker: what is piped into an
// input topic goes through every sub-topology and internal topic at once, by the code that
// an App runs, and the test reads what came out.
//
//	d := streamstest.New(t, topology)
//	in := streamstest.Input(d, "words", serde.String(), serde.String())
//	out := streamstest.Output(d, "counts", serde.String(), serde.Int64())
//	in.Pipe("a", "hello")
//	in.Pipe("a", "again", time.UnixMilli(60_000))
//	if r := out.Read(); r.Key != "a" || r.Value != 1 {
//		t.Errorf("the first is %v", r)
//	}
//
// Time stands still unless the test moves it: Advance moves the wall clock and with it
// punctuators, and the times of the records piped move stream time.
//
// As in Kafka Streams' TopologyTestDriver, every topic has one partition and each processed
// record is followed by a commit, so that record caches hold nothing back; WithPartitions,
// WithCommitEvery and WithConfig change that. Unlike there, each sub-topology is a task with
// a stream time of its own, as in production. Results are the same in every run.
//
// FailCommit and Restart show what failures leave: a topology that keeps state outside its
// stores, say, gives itself away.
package streamstest
