package log

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
)

// TestDamagedLengthCostsNoMemory: no batch is larger than those that are appended.
func TestDamagedLengthCostsNoMemory(t *testing.T) {
	b := batch.Build(batch.Header{ProducerID: -1}, batch.Record{Value: []byte("v")})
	binary.BigEndian.PutUint32(b[8:], maxBatch+1)
	if p := (segmentName{}).pick(b, 0, reading{bound: 9, end: 9, maxBytes: 1 << 20}); !errors.Is(p.err, batch.ErrCorrupt) || p.want > 0 {
		t.Errorf("%+v", p)
	}
}
