package streams

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/bench/streams/side"
	"github.com/pabal-dev/pabal/internal/testservers"
)

// The sides, as processes of their own.
const (
	ours         = "Pabal"
	kafkaStreams = "Kafka Streams"
	goka         = "goka"
)

type task = side.Task

const running = side.Running

// programs are the Go sides', by side: what else the benchmarks need is not in them.
var programs = map[string]string{ours: "pabal", goka: "goka"}

// build makes them in a folder.
func build(ctx context.Context, folder string) error {
	for _, name := range programs {
		cmd := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(folder, name), "github.com/pabal-dev/pabal/bench/streams/"+name)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w: %s", name, err, out)
		}
	}
	return nil
}

func (s *stage) start(ctx context.Context, side string, t task) (*process, error) {
	if side == kafkaStreams {
		return startJava(ctx, t)
	}
	return launch(side, exec.CommandContext(ctx, filepath.Join(s.dir, programs[side])), t)
}

// javaMemory is the heap that Kafka Streams gets; RocksDB's memory comes on top. The collector
// and the compilers are Java's own choice for the machine.
const javaMemory = "-Xmx1g"

func startJava(ctx context.Context, t task) (*process, error) {
	folder, err := testservers.FindKStreams()
	if err != nil {
		return nil, err
	}
	java, err := testservers.FindJava()
	if err != nil {
		return nil, err
	}
	offset := "earliest"
	if t.FromEnd {
		offset = "latest"
	}
	class := filepath.Join(folder, "classes") + string(os.PathListSeparator) + filepath.Join(folder, "lib", "*")
	cmd := exec.CommandContext(ctx, java, javaMemory, "-cp", class, "reference.CountBench",
		"kind="+t.Kind, "brokers="+t.Brokers, "id="+t.ID, "in="+t.In, "table="+t.Table, "out="+t.Out, "commit="+strconv.Itoa(t.CommitMs),
		"linger="+strconv.Itoa(min(t.CommitMs, 100)), "cache="+strconv.FormatInt(t.CacheBytes, 10), "dir="+t.Dir,
		"window="+strconv.FormatInt(t.WindowMs, 10), "instance="+t.Instance, "offset="+offset)
	return launch(kafkaStreams, cmd, nil)
}

// versions tells what is compared with.
func versions() string {
	folder, err := testservers.FindKStreams()
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s (%s)", testservers.KStreamsName(folder), strings.TrimPrefix(javaMemory, "-"))
}

// gokaTable is the topic of goka's table.
func gokaTable(t task) string { return t.ID + "-table" }
