package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pabal-dev/pabal/connect/file"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// A task as the runtime opens it.
func Example() {
	dir, _ := os.MkdirTemp("", "file")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "in.txt")
	os.WriteFile(path, []byte("one\ntwo\nthr"), 0o600)

	var source file.Source
	cfg, _ := source.Info().Config.Must(map[string]string{"file": path, "topic": "lines"})
	task, _ := source.Open(context.Background(), plugin.SourceContext{
		Common: plugin.Common{Config: cfg, Memory: 1 << 20},
		Offset: func(context.Context, map[string]any) (map[string]any, error) { return nil, nil },
	})
	defer task.Close(context.Background())
	records, _ := task.Poll(context.Background())
	for _, r := range records {
		fmt.Println(r.Topic, r.Value, r.At.Offset())
	}
	// Output:
	// lines one map[position:4]
	// lines two map[position:8]
}
