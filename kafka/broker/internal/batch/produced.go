package batch

import (
	"fmt"
)

// maxCodec is zstd.
const maxCodec = 4

// Split cuts a produce request's records into batches, each verified and allowed to a
// producer. limit is the most bytes one batch may have (max.message.bytes); more fail
// with ErrTooLarge. The batches are parts of records.
func Split(records []byte, limit int) ([][]byte, []Header, error) {
	var batches [][]byte
	var headers []Header
	for len(records) > 0 {
		h, err := Verify(records)
		if h.Size > limit {
			return nil, nil, fmt.Errorf("batch %d: %w: %d bytes, the most are %d", len(batches), ErrTooLarge, h.Size, limit)
		}
		if err == nil {
			err = h.CheckProduced()
		}
		if err != nil {
			return nil, nil, fmt.Errorf("batch %d: %w", len(batches), err)
		}
		batches, headers = append(batches, records[:h.Size:h.Size]), append(headers, h)
		records = records[h.Size:]
	}
	return batches, headers, nil
}

// CheckProduced says why a producer may not send such a batch, with ErrInvalid.
func (h Header) CheckProduced() error {
	switch {
	case h.Count == 0 || h.LastDelta != h.Count-1:
		return fmt.Errorf("%w: %d records, and the last one has offset delta %d", ErrInvalid, h.Count, h.LastDelta)
	case h.Control():
		return fmt.Errorf("%w: markers of transactions are the coordinator's", ErrInvalid)
	case h.HasDeleteHorizon():
		return fmt.Errorf("%w: the delete horizon is the broker's", ErrInvalid)
	case h.Codec() > maxCodec:
		return fmt.Errorf("%w: compression %d is not known", ErrInvalid, h.Codec())
	case h.LogAppendTime():
		return fmt.Errorf("%w: log append time is the broker's", ErrInvalid)
	case h.ProducerID < noProducer:
		return fmt.Errorf("%w: producer id %d", ErrInvalid, h.ProducerID)
	case h.Idempotent() && (h.ProducerEpoch < 0 || h.BaseSequence < 0):
		return fmt.Errorf("%w: producer id %d with epoch %d, sequence %d", ErrInvalid, h.ProducerID, h.ProducerEpoch, h.BaseSequence)
	case !h.Idempotent() && h.Transactional():
		return fmt.Errorf("%w: transactional without a producer id", ErrInvalid)
	case h.MaxTimestamp < noTimestamp || h.BaseTimestamp < noTimestamp:
		return fmt.Errorf("%w: timestamps %d to %d", ErrInvalid, h.BaseTimestamp, h.MaxTimestamp)
	}
	return nil
}
