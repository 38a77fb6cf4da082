package file

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// Sink is org.apache.kafka.connect.file.FileStreamSinkConnector: each value is a line. After a
// failure lines may be there twice: a file keeps no offsets.
type Sink struct{}

var sinkKeys = config.Definition{Keys: []config.Key{
	{Name: "file", Type: config.String, Importance: config.High, Doc: "Path of the file to append to; the worker's standard output where it is not set."},
}}

// Info names it.
func (Sink) Info() plugin.Info {
	return plugin.Info{Class: "org.apache.kafka.connect.file.FileStreamSinkConnector", TaskClass: "org.apache.kafka.connect.file.FileStreamSinkTask", Version: version, Config: sinkKeys}
}

// Check finds nothing more.
func (Sink) Check(context.Context, config.Values, []config.Problem) []config.Problem { return nil }

// Tasks are as many as are allowed; all append to one file.
func (Sink) Tasks(cfg config.Values, most int) ([]map[string]string, error) {
	out := make([]map[string]string, most)
	for i := range out {
		out[i] = cfg.All()
	}
	return out, nil
}

// Open the file.
func (Sink) Open(_ context.Context, t plugin.SinkContext) (plugin.SinkTask, error) {
	path := t.Config.String("file")
	if path == "" {
		return &sinkTask{file: os.Stdout}, nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	return &sinkTask{file: f, own: true}, nil
}

type sinkTask struct {
	file *os.File
	own  bool
	text converter.String
}

// Put appends a line per record. They are on the disk when it returns.
func (t *sinkTask) Put(_ context.Context, records []plugin.SinkRecord) error {
	var b bytes.Buffer
	for _, r := range records {
		line, err := t.text.Encode(r.Topic, r.ValueSchema, r.Value)
		if err != nil {
			return fmt.Errorf("a record as text: %w", err)
		}
		if line == nil {
			line = []byte("null")
		}
		b.Write(append(line, '\n'))
	}
	if _, err := t.file.Write(b.Bytes()); err != nil {
		return err
	}
	if t.own {
		return t.file.Sync()
	}
	return nil
}

// Close the file.
func (t *sinkTask) Close(context.Context) error {
	if t.own {
		return t.file.Close()
	}
	return nil
}
