package server_test

import (
	"testing"

	"github.com/pabal-dev/pabal/kafka/broker/internal/vfs"
	"github.com/twmb/franz-go/pkg/kerr"
)

// TestDamagedBatchIsCorrupt: who reads a damaged batch is told so, and reads on after it.
func TestDamagedBatchIsCorrupt(t *testing.T) {
	fs := vfs.NewMemory()
	s := serve(t, func(o *options) { o.node.FS = fs })
	topic := s.create("t", 1, nil)
	c := s.dial()
	size := int64(len(recordsOf(1)))
	for range 3 {
		c.ask(produceTo(9, "t", recordsOf(1)))
	}
	folders, err := fs.ReadDir("d/topics")
	if err != nil || len(folders) == 0 {
		t.Fatal(folders, err)
	}
	for _, folder := range folders {
		if folder[:2] != "t-" {
			continue
		}
		f, err := fs.Open("d/topics/" + folder + "/0/00000000000000000000.log")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte{0xff}, size+16); err != nil { // no such magic
			t.Fatal(err)
		}
	}
	for offset, want := range []error{nil, kerr.CorruptMessage, nil} {
		p := found(t, c.fetch(fetchOf(12, topic, int64(offset))), 0)
		if got := kerr.ErrorForCode(p.ErrorCode); got != want || (want == nil) != (len(p.RecordBatches) > 0) {
			t.Errorf("offset %d: got %v and %d bytes, want %v", offset, got, len(p.RecordBatches), want)
		}
	}
}
