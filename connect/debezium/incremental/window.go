package incremental

// window is a chunk's rows, and which of them the stream changed meanwhile.
type window struct {
	rows []Row
	// kept are the ids of rows that are still to be sent; nil until the rows are there.
	kept map[string]struct{}
	// early are the ids of changes that came by before the rows were there.
	early   map[string]struct{}
	dropAll bool
}

func (w *window) fill(rows []Row) {
	w.rows = rows
	w.kept = make(map[string]struct{}, len(rows))
	for _, row := range rows {
		if _, changed := w.early[row.ID]; !changed {
			w.kept[row.ID] = struct{}{}
		}
	}
	w.early = nil
}

func (w *window) drop(id string) {
	if w.kept != nil {
		delete(w.kept, id)
		return
	}
	if w.early == nil {
		w.early = map[string]struct{}{}
	}
	w.early[id] = struct{}{}
}

// left are the rows that the stream did not change.
func (w *window) left() []Row {
	if w.dropAll {
		return nil
	}
	if len(w.kept) == len(w.rows) {
		return w.rows
	}
	var out []Row
	for _, row := range w.rows {
		if _, kept := w.kept[row.ID]; kept {
			out = append(out, row)
		}
	}
	return out
}
