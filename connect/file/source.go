package file

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// Source is org.apache.kafka.connect.file.FileStreamSourceConnector: it follows a file that grows.
// A line is a record when it has its line end.
type Source struct{}

var sourceKeys = config.Definition{Keys: []config.Key{
	{Name: "file", Type: config.String, Importance: config.High, Doc: "Path of the file to follow. It may appear later."},
	{Name: "topic", Type: config.String, Required: true, Importance: config.High, Check: config.NotEmpty, Doc: "Topic of the records."},
	{Name: "batch.size", Type: config.Int, Default: "2000", Importance: config.Low, Check: config.AtLeast(1), Doc: "Most lines at once."},
}}

// Info names it.
func (Source) Info() plugin.Info {
	return plugin.Info{Class: "org.apache.kafka.connect.file.FileStreamSourceConnector", TaskClass: "org.apache.kafka.connect.file.FileStreamSourceTask", Version: version, Config: sourceKeys}
}

// Check wants a file: a worker has no standard input to read. It may appear later.
func (Source) Check(_ context.Context, cfg config.Values, _ []config.Problem) []config.Problem {
	if cfg.String("file") == "" {
		return []config.Problem{{Key: "file", Message: "Missing required configuration \"file\": a worker has no standard input to read."}}
	}
	return nil
}

// Tasks is one.
func (Source) Tasks(cfg config.Values, _ int) ([]map[string]string, error) {
	return []map[string]string{cfg.All()}, nil
}

// Keys of a stored offset.
const (
	fileKey     = "filename"
	positionKey = "position"
)

// CheckOffset wants {"filename":…} and {"position":n}.
func (Source) CheckOffset(partition, offset map[string]any) error {
	if name, ok := partition[fileKey].(string); !ok || name == "" {
		return fmt.Errorf("the partition of a file is {%q: its path}", fileKey)
	}
	if n, ok := offset[positionKey].(int64); !ok || n < 0 || len(offset) != 1 {
		return fmt.Errorf("the offset in a file is {%q: a number of bytes from 0 on}", positionKey)
	}
	return nil
}

// Open reads on where the stored offset says.
func (Source) Open(ctx context.Context, t plugin.SourceContext) (plugin.SourceTask, error) {
	task := &sourceTask{
		path: t.Config.String("file"), topic: t.Config.String("topic"), most: int(t.Config.Int("batch.size")), memory: t.Memory,
		partition: map[string]any{fileKey: t.Config.String("file")}, closed: make(chan struct{}),
	}
	offset, err := t.Offset(ctx, task.partition)
	if err != nil {
		return nil, err
	}
	task.at, _ = offset[positionKey].(int64)
	return task, nil
}

type sourceTask struct {
	path, topic string
	most        int
	memory      int64
	partition   map[string]any
	at          int64 // where the next line begins
	file        *os.File
	lines       *bufio.Reader
	partial     []byte // of a line whose end is not there yet
	closed      chan struct{}
}

// position in a file.
type position struct {
	of *sourceTask
	at int64
}

func (p position) Partition() map[string]any { return p.of.partition }

func (p position) Offset() map[string]any { return map[string]any{positionKey: p.at} }

// look is how often a file is looked at that has nothing new.
const look = 100 * time.Millisecond

// Poll returns whole lines.
func (t *sourceTask) Poll(ctx context.Context) ([]plugin.SourceRecord, error) {
	if err := t.open(); err != nil {
		return nil, err
	}
	records, err := t.read()
	if err != nil || len(records) > 0 {
		return records, err
	}
	select {
	case <-time.After(look):
	case <-t.closed:
	case <-ctx.Done():
	}
	return nil, nil
}

func (t *sourceTask) open() error {
	if t.file != nil {
		return nil
	}
	f, err := os.Open(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it may appear
	}
	if err != nil {
		return err
	}
	if info, err := f.Stat(); err != nil || info.Size() < t.at {
		f.Close()
		return fmt.Errorf("file %s is shorter than the %d bytes that were read of it: it is another one. Reset the connector's offsets to read it from its beginning", t.path, t.at)
	}
	if _, err := f.Seek(t.at, io.SeekStart); err != nil {
		f.Close()
		return err
	}
	t.file, t.lines = f, bufio.NewReaderSize(f, 64<<10)
	return nil
}

var valueSchema = data.Of(data.String)

func (t *sourceTask) read() ([]plugin.SourceRecord, error) {
	if t.file == nil {
		return nil, nil
	}
	var out []plugin.SourceRecord
	for bytes := int64(0); len(out) < t.most && bytes < t.memory; {
		part, err := t.lines.ReadSlice('\n')
		t.partial = append(t.partial, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if int64(len(t.partial)) > t.memory {
				return nil, fmt.Errorf("file %s has a line of more than %d bytes at %d", t.path, t.memory, t.at)
			}
			continue
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, err
		}
		line := t.partial
		t.partial = nil
		t.at += int64(len(line))
		bytes += int64(len(line))
		out = append(out, t.record(line))
	}
	return out, nil
}

func (t *sourceTask) record(line []byte) plugin.SourceRecord {
	end := len(line) - 1
	if end > 0 && line[end-1] == '\r' {
		end--
	}
	return plugin.SourceRecord{
		Record: plugin.Record{
			Topic: t.topic, Partition: plugin.NoPartition, ValueSchema: valueSchema, Value: string(line[:end]), Timestamp: time.Now().UnixMilli(),
		},
		At: position{t, t.at}, End: true, Bytes: len(line),
	}
}

// Committed has nothing to do: files stay.
func (t *sourceTask) Committed(context.Context, plugin.Position) error { return nil }

// Close the file.
func (t *sourceTask) Close(context.Context) error {
	close(t.closed)
	if t.file == nil {
		return nil
	}
	return t.file.Close()
}
