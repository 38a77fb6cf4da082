package batch

// Rewrite makes a batch of those records of b that are kept, under the same offsets,
// sequences and compression. Where horizon is positive it becomes the batch's delete
// horizon. kept may be none: the batch is then a header, which keeps a producer's
// sequence. b was verified; kept are its records in order.
func Rewrite(b []byte, kept []Record, horizon int64) ([]byte, error) {
	h, err := Parse(b)
	if err != nil {
		return nil, err
	}
	if horizon > 0 {
		h.Attributes |= attrDeleteHorizon
		h.BaseTimestamp = horizon
	}
	h.Count = int32(len(kept))
	if !h.LogAppendTime() && len(kept) > 0 {
		h.MaxTimestamp = kept[0].Timestamp
	}
	out := make([]byte, HeaderSize, len(b))
	for _, r := range kept {
		if !h.LogAppendTime() {
			h.MaxTimestamp = max(h.MaxTimestamp, r.Timestamp)
		}
		out = appendRecord(out, r, h)
	}
	if h.Codec() != 0 && len(kept) > 0 {
		packed, err := compress(h.Codec(), out[HeaderSize:])
		if err != nil {
			return nil, err
		}
		out = append(out[:HeaderSize], packed...)
	}
	put(out, h)
	return out, nil
}
