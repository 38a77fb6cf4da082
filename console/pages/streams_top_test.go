package pages_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
)

// topCells are the rows of the table: each cell's text.
func topCells(body string) (rows []string) {
	for _, row := range regexp.MustCompile(`(?s)<tr><td.*?</tr>`).FindAllString(body, -1) {
		text := regexp.MustCompile(`<td[^>]*>`).ReplaceAllString(row, "|")
		text = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(text, "")
		rows = append(rows, strings.ReplaceAll(strings.Join(strings.Fields(text), " "), " |", "|"))
	}
	return rows
}

func siteOfStore(entries ...admin.StoreEntry) site {
	return newSite(fake{change: func(v reflect.Value) reflect.Value {
		if _, ok := v.Interface().(admin.StorePage); ok {
			return reflect.ValueOf(admin.StorePage{Entries: entries})
		}
		return v
	}}, "", false, 0)
}

func windowed(key, value string, start int64) admin.StoreEntry {
	end := start + 60_000
	return admin.StoreEntry{Key: json.RawMessage(key), Value: json.RawMessage(value), WindowStart: &start, WindowEnd: &end}
}

// TestTopOfAStore: the newest window, the first number of the values unless another is asked
// for, the largest first, what is nested left out.
func TestTopOfAStore(t *testing.T) {
	s := siteOfStore(
		windowed(`"r1"`, `{"name":"<Soup>","orders":3,"revenue":9000,"more":{"x":1}}`, windowStart),
		windowed(`"r2"`, `{"name":"Rice","orders":12,"revenue":600}`, windowStart),
		windowed(`"r3"`, `{"orders":99,"revenue":1}`, windowStart-60_000),
		windowed(`"r4"`, `{"orders":0,"revenue":0}`, windowStart))
	const at = "/streams/shop.visits/stores/totals/top"
	_, body := s.page(t, at, api.Viewer, 200)
	if got, want := fmt.Sprint(topCells(body)), "[|1|r2|Rice|12|600| |2|r1|&lt;Soup&gt;|3|9,000| |3|r4||0|0|]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, text := range []string{"2026-03-01 12:00:00", "by orders", `top?by=revenue">revenue`, `aria-label="25 percent of the largest"`, `data-refresh="2"`} {
		if !strings.Contains(body, text) {
			t.Errorf("it does not say %q", text)
		}
	}
	_, body = s.page(t, at+"?by=revenue", api.Viewer, 200)
	if got := fmt.Sprint(topCells(body)); !strings.HasPrefix(got, "[|1|r1|") {
		t.Error(got)
	}
	if _, body := siteOfStore().page(t, at, api.Viewer, 200); !strings.Contains(body, "Nothing is there") {
		t.Error("an empty store")
	}
	_, body = siteOfStore(admin.StoreEntry{Key: json.RawMessage(`7`), Value: json.RawMessage(`1.5`)}, admin.StoreEntry{Key: json.RawMessage(`8`), Value: json.RawMessage(`20`)},
		admin.StoreEntry{Key: json.RawMessage(`9`), Value: json.RawMessage(`[1]`)}, admin.StoreEntry{Key: json.RawMessage(`10`)}).page(t, at, api.Viewer, 200)
	if got, want := fmt.Sprint(topCells(body)), "[|1|8|20| |2|7|1.5| |3|10|| |4|9||]"; got != want || !strings.Contains(body, "All keys") {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
