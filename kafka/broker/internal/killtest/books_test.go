package killtest

import (
	"fmt"
	"testing"
	"time"
)

// planted is a small topic, and what a check must find after a change to it.
type planted struct {
	name   string
	change func(c content) content
	want   kind
}

// verify shows that a check finds nothing in what is right, and each planted defect.
func verify(t *testing.T, right func() content, check func(f *findings, c content), defects []planted) {
	t.Helper()
	var none findings
	if check(&none, right()); none.total() != 0 {
		none.report(t)
	}
	for _, d := range defects {
		var f findings
		if check(&f, d.change(right())); f.count[d.want] == 0 {
			t.Errorf("%s: want %v, found %v", d.name, d.want, &f)
		}
	}
}

func swap(p int32, i, j int) func(content) content {
	return func(c content) content {
		a, b := c[p][i], c[p][j]
		a.offset, b.offset = b.offset, a.offset
		c[p][i], c[p][j] = b, a
		return c
	}
}

func remove(p int32, i int) func(content) content {
	return func(c content) content {
		c[p] = append(c[p][:i:i], c[p][i+1:]...)
		return c
	}
}

// repeat adds a copy of a record at the end.
func repeat(p int32, i int) func(content) content {
	return func(c content) content {
		r := c[p][i]
		r.offset = c[p][len(c[p])-1].offset + 1
		c[p] = append(c[p], r)
		return c
	}
}

func spoil(p int32, i int) func(content) content {
	return func(c content) content {
		c[p][i].value[len(c[p][i].value)/2] ^= 4
		return c
	}
}

// stretch moves a record and those after it by one offset.
func stretch(p int32, from int) func(content) content {
	return func(c content) content {
		for i := from; i < len(c[p]); i++ {
			c[p][i].offset++
		}
		return c
	}
}

func plant(c content, p int32, key string, m message) content {
	at := int64(0)
	if n := len(c[p]); n > 0 {
		at = c[p][n-1].offset + 1
	}
	r := record{partition: p, offset: at, key: key, at: time.Unix(at, 0)}
	if m.Writer == "tombstone" {
		r.header = m.encode(60)
	} else {
		r.value = m.encode(60)
	}
	c[p] = append(c[p], r)
	return c
}

func TestSequenceCheckFinds(t *testing.T) {
	book := newSequenceBook()
	right := func() content {
		c := content{}
		for i := range 10 {
			for k := range int32(4) {
				key := fmt.Sprint("k", k)
				plant(c, k%2, key, message{Key: key, Seq: i + 1})
			}
		}
		return c
	}
	for k := range int32(4) {
		for range 11 { // the last was sent, nobody knows
			book.next(fmt.Sprint("k", k))
		}
	}
	right().messages(&findings{}, func(r record, m message) { book.acknowledge(m.Key, m.Seq, placeOf(r)) })
	verify(t, right, func(f *findings, c content) { book.check(f, c, never) }, []planted{
		{"the last is missing", remove(1, 19), lost},
		{"the first is missing", remove(0, 0), lost},
		{"a partition is missing", func(c content) content { delete(c, 1); return c }, lost},
		{"one is there again", repeat(0, 3), duplicated},
		{"an offset is there again", func(c content) content { c[0][4].offset = c[0][3].offset; return c }, reordered},
		{"two of a key are swapped", swap(0, 4, 6), reordered},
		{"a byte is another", spoil(1, 7), torn},
		{"offsets have shifted", stretch(1, 7), wrong},
		{"one was never sent", func(c content) content { return plant(c, 0, "k0", message{Key: "k0", Seq: 12}) }, wrong},
		{"a key was never sent", func(c content) content { return plant(c, 0, "x", message{Key: "x", Seq: 1}) }, wrong},
		{"key and value do not belong together", func(c content) content { c[0][0].key = "k2"; return c }, wrong},
	})
	var f findings
	if book.check(&f, plant(right(), 0, "k0", message{Key: "k0", Seq: 11}), never); f.total() != 0 {
		t.Errorf("what was sent and not acknowledged may be there: %v", &f)
	}
	book.check(&f, remove(0, 0)(right()), func(p place) bool { return p.offset == 0 })
	if f.total() != 0 {
		t.Errorf("what is gone may be missing: %v", &f)
	}
}

func TestTransactionCheckFinds(t *testing.T) {
	book := newTransactionBook()
	for n, o := range []outcome{committed, aborted, committed, doubtful, doubtful} {
		book.begin("w", n+1, 4)
		book.end("w", n+1, o)
	}
	transaction := func(c content, n int) content {
		for part := range 4 {
			plant(c, int32(part%2), "", message{Writer: "w", Txn: n, Part: part + 1, Of: 4})
		}
		return c
	}
	right := func() content { return transaction(transaction(transaction(content{}, 1), 3), 4) }
	// In two topics, as readers find it.
	check := func(f *findings, c content) { book.check(f, content{0: c[0]}, content{1: c[1]}) }
	verify(t, right, check, []planted{
		{"a part is missing", remove(0, 1), torn},
		{"a part in doubt is missing", remove(0, 5), torn},
		{"a commit is missing", func(c content) content { return transaction(transaction(content{}, 1), 4) }, lost},
		{"an abort is seen", func(c content) content { return transaction(c, 2) }, wrong},
		{"a part is there again", repeat(1, 0), duplicated},
		{"transactions are swapped", swap(0, 0, 2), reordered},
		{"parts are swapped", swap(0, 0, 1), reordered},
		{"a byte is another", spoil(0, 0), torn},
		{"nobody began it", func(c content) content { return transaction(c, 6) }, wrong},
		{"a part too many", func(c content) content {
			return plant(c, 1, "", message{Writer: "w", Txn: 3, Part: 5, Of: 4})
		}, wrong},
	})
}

func TestVersionCheckFinds(t *testing.T) {
	book := newVersionBook()
	write := func(key string, tombstone bool, o outcome) int {
		n := book.next(key, tombstone)
		book.end(key, n, o)
		return n
	}
	for range 5 {
		write("a", false, committed)
	}
	write("a", false, doubtful)
	write("b", false, committed)
	write("b", false, aborted)
	write("b", true, committed)
	put := func(c content, key string, seq int) content {
		return plant(c, 0, key, message{Key: key, Seq: seq})
	}
	deleted := func(c content, key string, seq int) content {
		return plant(c, 0, key, message{Writer: "tombstone", Key: key, Seq: seq})
	}
	right := func() content { return deleted(put(put(put(content{}, "a", 2), "a", 5), "b", 1), "b", 3) }
	verify(t, right, book.check, []planted{
		{"the last is missing", remove(0, 1), lost},
		{"all of a key is missing", func(c content) content { return deleted(content{}, "b", 3) }, lost},
		{"a deleted key is back", remove(0, 3), lost},
		{"an abort is seen", func(c content) content { return deleted(put(put(content{}, "a", 5), "b", 2), "b", 3) }, wrong},
		{"versions are swapped", swap(0, 0, 1), reordered},
		{"a version is there again", repeat(0, 1), duplicated},
		{"nobody wrote it", func(c content) content { return put(c, "a", 7) }, wrong},
		{"a tombstone nobody wrote", func(c content) content { return deleted(c, "a", 6) }, wrong},
		{"a byte is another", spoil(0, 1), torn},
	})
	var f findings
	book.check(&f, put(put(content{}, "a", 6), "a", 6)) // b is gone with its tombstone
	if f.count[duplicated] != 1 || f.total() != 1 {
		t.Errorf("found %v", &f)
	}
}

func TestTransformCheckFinds(t *testing.T) {
	from := content{}
	for i := range 6 {
		plant(from, int32(i%2), "k", message{Key: "k", Seq: i})
	}
	put := func(c content, p int32, offset int) content {
		return plant(c, p, "k", message{Writer: fmt.Sprint(p), Key: "k", Seq: offset})
	}
	right := func() content {
		c := content{}
		for p, records := range from {
			for _, r := range records {
				put(c, p, int(r.offset))
			}
		}
		return c
	}
	verify(t, right, func(f *findings, c content) { checkTransformed(f, from, c) }, []planted{
		{"one is missing", remove(0, 2), lost},
		{"one is there again", repeat(1, 0), duplicated},
		{"two are swapped", swap(1, 0, 1), reordered},
		{"one has no input", func(c content) content { return put(c, 1, 9) }, wrong},
		{"one is in another partition", func(c content) content { c[0] = append(c[0], c[1][2]); c[0][3].partition = 0; return c }, wrong},
		{"a byte is another", spoil(0, 0), torn},
	})
}
