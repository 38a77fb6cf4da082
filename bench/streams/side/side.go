package side

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// Task is an application to run.
type Task struct {
	Kind     string // count, window or join
	Brokers  string
	ID       string // application id and group
	In       string
	Table    string // of a join
	Out      string
	CommitMs int
	// CacheBytes of the record cache: several changes of a key leave as one.
	CacheBytes int64
	Dir        string // of the stores
	WindowMs   int64
	// AtLeastOnce instead of exactly-once.
	AtLeastOnce bool
	// Instance of a static member of the group; "" is dynamic.
	Instance string
	// FromEnd begins with what comes, not with what there is.
	FromEnd bool
}

// Progress is what an application prints of itself, a JSON object a line: every 50 ms, at
// each change of state and when it is asked by a line on its input. The Java side is
// Progress.java.
type Progress struct {
	State string `json:"state"`
	// Records that entered the topology.
	Records int64 `json:"records"`
	// CPU seconds of the process.
	CPU float64 `json:"cpu"`
	// RSS and Peak are its resident bytes, now and at most.
	RSS  int64 `json:"rss"`
	Peak int64 `json:"peak"`
}

// Running is the State of an application that processes.
const Running = "RUNNING"

// Main is the main function of an application: its task is the first line of its input, and it
// runs until that ends.
func Main(run func(ctx context.Context, t Task, in *bufio.Reader, out io.Writer) error) {
	if err := serve(run, bufio.NewReader(os.Stdin)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(run func(context.Context, Task, *bufio.Reader, io.Writer) error, in *bufio.Reader) error {
	first, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var t Task
	if err := json.Unmarshal(first, &t); err != nil {
		return err
	}
	return run(context.Background(), t, in, os.Stdout)
}
