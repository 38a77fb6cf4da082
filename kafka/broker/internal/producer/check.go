package producer

import (
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
)

// Why a batch or a marker may not be appended; Kafka's errors have the same names.
var (
	ErrOutOfOrderSequence = errors.New("out of order sequence number")
	ErrInvalidEpoch       = errors.New("invalid producer epoch")
	ErrInvalidTxnState    = errors.New("invalid transaction state")
	ErrCoordinatorFenced  = errors.New("transaction coordinator fenced")
)

// Duplicate is a batch that was appended before: Base and Last are its offsets then.
type Duplicate struct{ Base, Last int64 }

// Check decides on a data batch that comes from a producer: it is to be appended, was
// appended before (duplicate), or must not be (an error).
func (s *State) Check(h batch.Header) (*Duplicate, error) {
	e := s.producers[h.ProducerID]
	if !h.Idempotent() || e == nil {
		return nil, nil
	}
	if h.ProducerEpoch < e.epoch {
		return nil, fmt.Errorf("%w: producer %d has epoch %d, and a batch %d", ErrInvalidEpoch, h.ProducerID, e.epoch, h.ProducerEpoch)
	}
	if h.ProducerEpoch > e.epoch {
		return nil, e.checkNewEpoch(h)
	}
	for _, b := range e.batches {
		if b.first == h.BaseSequence && b.last == h.LastSequence() {
			return &Duplicate{b.offset, b.lastOffset}, nil
		}
	}
	if err := e.checkTransaction(h); err != nil {
		return nil, err
	}
	want := int32(0)
	if n := len(e.batches); n > 0 {
		want = batch.AddSequence(e.batches[n-1].last, 1)
	}
	if h.BaseSequence != want {
		return nil, outOfOrder(h, want)
	}
	return nil, nil
}

func (e *entry) checkNewEpoch(h batch.Header) error {
	if h.BaseSequence != 0 {
		return outOfOrder(h, 0)
	}
	return e.checkTransaction(h)
}

// checkTransaction keeps data that is of no transaction out of one that is open.
func (e *entry) checkTransaction(h batch.Header) error {
	if e.first != none && !h.Transactional() {
		return fmt.Errorf("%w: producer %d has a transaction open since offset %d, and a batch is of none", ErrInvalidTxnState, h.ProducerID, e.first)
	}
	return nil
}

func outOfOrder(h batch.Header, want int32) error {
	return fmt.Errorf("%w: producer %d, epoch %d: sequence %d, and %d is next", ErrOutOfOrderSequence, h.ProducerID, h.ProducerEpoch, h.BaseSequence, want)
}

// CheckMarker decides on a marker of the transaction coordinator.
func (s *State) CheckMarker(m batch.Marker) error {
	e := s.producers[m.ProducerID]
	if e == nil {
		return nil
	}
	if m.ProducerEpoch < e.epoch {
		return fmt.Errorf("%w: producer %d has epoch %d, and a marker %d", ErrInvalidEpoch, m.ProducerID, e.epoch, m.ProducerEpoch)
	}
	if m.CoordinatorEpoch < e.coordinatorEpoch {
		return fmt.Errorf("%w: coordinator epoch %d, and a marker's is %d", ErrCoordinatorFenced, e.coordinatorEpoch, m.CoordinatorEpoch)
	}
	return nil
}
