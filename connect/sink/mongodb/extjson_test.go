package mongodb

import (
	"bufio"
	"encoding/hex"
	"os"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// TestDialects reads what the Java driver wrote of every type in its strict and in its canonical
// form, and must get the same document.
func TestDialects(t *testing.T) {
	file, err := os.Open("../../mongodb/internal/extjson/testdata/driver.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		want := lines.Text()
		for _, form := range []string{"strict", "canonical"} {
			lines.Scan()
			doc, err := parseDocument(lines.Text())
			if err != nil {
				t.Errorf("%s: %v", form, err)
				continue
			}
			b, err := bson.Marshal(doc)
			if got := hex.EncodeToString(b); err != nil || got != want {
				t.Errorf("%s: %.300s became\n%.300s (%v), want\n%.300s", form, lines.Text(), got, err, want)
			}
		}
		lines.Scan() // the relaxed forms leave out which number it was
		lines.Scan()
	}
}
