package extjson

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"math"
	"os"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

var formats = []struct {
	name   string
	format Format
}{
	{"strict", Format{Mode: Strict}},
	{"extended", Format{Mode: Extended}},
	{"relaxed", Format{Mode: Relaxed}},
	{"relaxed, spaced", Format{Mode: Relaxed, Spaced: true}},
}

// TestAsTheDriver compares with what the Java driver 5.6.2 wrote: each group of lines in the file
// is a document in hexadecimal and its four forms.
func TestAsTheDriver(t *testing.T) {
	file, err := os.Open("testdata/driver.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	documents := 0
	for lines.Scan() {
		doc, err := hex.DecodeString(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range formats {
			lines.Scan()
			got, err := f.format.Append(nil, doc)
			if want := lines.Text(); err != nil || string(got) != want {
				t.Errorf("%s: got  %s (%v)\nwant %s", f.name, got, err, want)
			}
		}
		documents++
	}
	if documents < 80 || lines.Err() != nil {
		t.Errorf("%d documents were compared: %v", documents, lines.Err())
	}
}

func TestDouble(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0.0", math.Copysign(0, -1): "-0.0", 1: "1.0", 100: "100.0", 0.001: "0.001", 0.00099: "9.9E-4", 1e7: "1.0E7", 12345678: "1.2345678E7",
		math.MaxFloat64: "1.7976931348623157E308", math.SmallestNonzeroFloat64: "4.9E-324", 9999999.999: "9999999.999", -1e-5: "-1.0E-5", 2e23: "2.0E23",
	} {
		if got := string(appendDouble(nil, x)); got != want {
			t.Errorf("%g is written %s, want %s", x, got, want)
		}
	}
}

// TestDamaged: bytes that are no BSON are an error, never a panic.
func TestDamaged(t *testing.T) {
	doc, err := bson.Marshal(everything())
	if err != nil {
		t.Fatal(err)
	}
	for i := range doc {
		if _, err := (Format{}).Append(nil, doc[:i]); err == nil {
			t.Errorf("the first %d bytes of %d are no document", i, len(doc))
		}
		for _, bit := range []byte{1, 0x80, 0xff} {
			changed := bytes.Clone(doc)
			changed[i] ^= bit
			_, _ = (Format{}).Append(nil, changed)
		}
	}
}

func FuzzAppend(f *testing.F) {
	doc, _ := bson.Marshal(everything())
	f.Add(doc)
	f.Fuzz(func(t *testing.T, doc []byte) {
		for _, format := range formats {
			if out, err := format.format.Append(nil, doc); err == nil && !strings.HasPrefix(string(out), "{") {
				t.Errorf("%x became %s", doc, out)
			}
		}
	})
}

func everything() bson.D {
	id := bson.ObjectID{0x50, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xff}
	return bson.D{
		{Key: "oid", Value: id}, {Key: "s", Value: "text"}, {Key: "i", Value: int32(1)}, {Key: "l", Value: int64(2)}, {Key: "d", Value: 1.5},
		{Key: "date", Value: bson.DateTime(1783101585729)}, {Key: "bool", Value: true}, {Key: "null", Value: nil},
		{Key: "bin", Value: bson.Binary{Subtype: 4, Data: []byte("0123456789abcdef")}}, {Key: "re", Value: bson.Regex{Pattern: "a/b", Options: "mi"}},
		{Key: "ts", Value: bson.Timestamp{T: 4294967295, I: 7}}, {Key: "min", Value: bson.MinKey{}}, {Key: "max", Value: bson.MaxKey{}},
		{Key: "undef", Value: bson.Undefined{}}, {Key: "sym", Value: bson.Symbol("sym")}, {Key: "js", Value: bson.JavaScript("f()")},
		{Key: "jss", Value: bson.CodeWithScope{Code: "g()", Scope: bson.D{{Key: "x", Value: int64(1)}, {Key: "y", Value: bson.A{int32(1), "2"}}}}},
		{Key: "ptr", Value: bson.DBPointer{DB: "db.c", Pointer: id}}, {Key: "doc", Value: bson.D{{Key: "a", Value: bson.D{}}, {Key: "b", Value: bson.A{}}}},
		{Key: "arr", Value: bson.A{int32(1), int64(2), 3.0, bson.D{{Key: "k", Value: "v"}}, bson.A{true, nil}}},
	}
}
