package plan

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Verdict is what becomes of a record that failed.
type Verdict int

// The verdicts.
const (
	// Stop ends the task's worker with the error; the uncaught-exception policy decides
	// what then.
	Stop Verdict = iota
	// Skip goes on without the record.
	Skip
	// DeadLetter sends it to the dead-letter topic and goes on.
	DeadLetter
)

// Failure is a record that could not be decoded, processed or produced.
type Failure struct {
	// Stage is "decode", "process" or "produce".
	Stage string
	// Node where it happened.
	Node string
	Task TaskID
	// Record that was read; nil in a punctuator. Of a produce failure Produced is what was
	// not taken.
	Record, Produced *kgo.Record
	Err              error
}

// Error names topic, partition and offset.
func (f *Failure) Error() string {
	at := "no record"
	if f.Record != nil {
		at = fmt.Sprintf("%s/%d at offset %d", f.Record.Topic, f.Record.Partition, f.Record.Offset)
	}
	if f.Produced != nil {
		at += ", producing to " + f.Produced.Topic
	}
	return fmt.Sprintf("task %d_%d: %s in %s of %s: %v", f.Task.Sub, f.Task.Partition, f.Stage, f.Node, at, f.Err)
}

// Unwrap is the cause.
func (f *Failure) Unwrap() error { return f.Err }
