package pgoutput

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"
)

// message is written by hand, as the protocol says.
type message []byte

func start(k Kind) message                { return message{byte(k)} }
func (m message) byte(b ...byte) message  { return append(m, b...) }
func (m message) n16(n uint16) message    { return binary.BigEndian.AppendUint16(m, n) }
func (m message) n32(n uint32) message    { return binary.BigEndian.AppendUint32(m, n) }
func (m message) n64(n uint64) message    { return binary.BigEndian.AppendUint64(m, n) }
func (m message) text(s string) message   { return append(append(m, s...), 0) }
func (m message) column(s string) message { return append(m.byte('t').n32(uint32(len(s))), s...) }

func decode(t *testing.T, b []byte) Message {
	t.Helper()
	var d Decoder
	m, err := d.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return *m
}

const second = 1_000_000

func TestTransaction(t *testing.T) {
	at := time.Date(2000, 1, 1, 0, 0, 7, 0, time.UTC)
	if b := decode(t, start(BeginKind).n64(0x16B374D848).n64(7*second).n32(99)).Begin; b.Final.String() != "16/B374D848" || !b.Time.Equal(at) || b.XID != 99 {
		t.Errorf("%+v", b)
	}
	if c := decode(t, start(CommitKind).byte(0).n64(5).n64(6).n64(7*second)).Commit; c != (Commit{5, 6, at}) {
		t.Errorf("%+v", c)
	}
	if o := decode(t, start(OriginKind).n64(5).text("elsewhere")).Origin; o != (Origin{5, "elsewhere"}) {
		t.Errorf("%+v", o)
	}
	if l := decode(t, append(start(MessageKind).byte(1).n64(5).text("outbox").n32(3), "abc"...)).Logical; !l.Transactional || l.At != 5 || l.Prefix != "outbox" || string(l.Content) != "abc" {
		t.Errorf("%+v", l)
	}
	if l, err := ParseLSN("16/B374D848"); err != nil || l != 0x16B374D848 {
		t.Errorf("%v, %v", l, err)
	}
	for _, text := range []string{"", "16", "16/", "16/G", "16/B374D848 ", "1/2/3", "123456789/0"} {
		if l, err := ParseLSN(text); err == nil {
			t.Errorf("%q is %s", text, l)
		}
	}
}

func TestTables(t *testing.T) {
	r := decode(t, start(RelationKind).n32(7).text("public").text("orders").byte('d').n16(2).
		byte(1).text("id").n32(23).n32(0xFFFFFFFF).byte(0).text("price").n32(1700).n32(655366)).Relation
	if r.ID != 7 || r.Namespace != "public" || r.Name != "orders" || r.Identity != 'd' || len(r.Columns) != 2 ||
		r.Columns[0] != (Column{true, "id", 23, -1}) || r.Columns[1] != (Column{false, "price", 1700, 655366}) {
		t.Errorf("%+v", r)
	}
	if y := decode(t, start(TypeKind).n32(16400).text("public").text("mood")).Type; y != (Type{16400, "public", "mood"}) {
		t.Errorf("%+v", y)
	}
	if tr := decode(t, start(TruncateKind).n32(2).byte(3).n32(7).n32(8)).Truncate; !tr.Cascade || !tr.RestartIdentity || len(tr.Relations) != 2 || tr.Relations[1] != 8 {
		t.Errorf("%+v", tr)
	}
}

func TestChanges(t *testing.T) {
	var d Decoder // the same for all: what one leaves is not seen in the next
	show := func(values []Value) string {
		var all []string
		for _, v := range values {
			all = append(all, string(v.Kind)+string(v.Data))
		}
		return strings.Join(all, " ")
	}
	for _, c := range []struct {
		b        message
		oldKind  byte
		old, new string
	}{
		{start(UpdateKind).n32(7).byte('O').n16(2).column("1").column("a").byte('N').n16(2).column("1").byte('u'), 'O', "t1 ta", "t1 u"},
		{start(InsertKind).n32(7).byte('N').n16(3).column("1").byte('n').column(""), 0, "", "t1 n t"},
		{start(UpdateKind).n32(7).byte('K').n16(1).column("1").byte('N').n16(1).column("2"), 'K', "t1", "t2"},
		{start(UpdateKind).n32(7).byte('N').n16(1).column("2"), 0, "", "t2"},
		{start(DeleteKind).n32(7).byte('K').n16(1).column("2"), 'K', "t2", ""},
		{start(InsertKind).n32(7).byte('N').n16(0), 0, "", ""},
	} {
		m, err := d.Decode(c.b)
		if err != nil {
			t.Fatalf("%q: %v", c.b, err)
		}
		if m.Change.Relation != 7 || m.Change.OldKind != c.oldKind || show(m.Change.Old) != c.old || show(m.Change.New) != c.new {
			t.Errorf("%q: %+v", c.b, m.Change)
		}
		for cut := range len(c.b) {
			if _, err := d.Decode(c.b[:cut]); !errors.Is(err, ErrMessage) {
				t.Errorf("the first %d bytes of %q: %v", cut, c.b, err)
			}
		}
		if _, err := d.Decode(c.b.byte(0)); !errors.Is(err, ErrMessage) {
			t.Errorf("%q with one more: %v", c.b, err)
		}
	}
	for _, b := range []message{start('?'), start(InsertKind).n32(7).byte('K').n16(0), start(DeleteKind).n32(7).byte('N').n16(0),
		start(InsertKind).n32(7).byte('N').n16(1).byte('x'), start(InsertKind).n32(7).byte('N').n16(1).byte('t').n32(0xFFFFFFFF)} {
		if _, err := d.Decode(b); !errors.Is(err, ErrMessage) {
			t.Errorf("%q: %v", b, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(start(UpdateKind).n32(7).byte('O').n16(1).column("1").byte('N').n16(1).column("2")))
	f.Add([]byte(start(RelationKind).n32(7).text("a").text("b").byte('d').n16(65535)))
	f.Add([]byte(start(TruncateKind).n32(0xFFFFFFFF).byte(0)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d Decoder
		if m, err := d.Decode(b); err == nil && m.Kind != Kind(b[0]) {
			t.Error(m)
		}
	})
}

func BenchmarkDecodeInsert(b *testing.B) {
	m := start(InsertKind).n32(7).byte('N').n16(6)
	for range 6 {
		m = m.column("a value of some length")
	}
	var d Decoder
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Decode(m); err != nil {
			b.Fatal(err)
		}
	}
}
