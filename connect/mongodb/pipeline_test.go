package mongodb

import (
	"testing"
)

// TestPlainNames: conditions on fields stand for expressions only where both say the same.
func TestPlainNames(t *testing.T) {
	for text, plain := range map[string]bool{
		"shop.orders": true, `shop\.orders`: true, "shop[.]orders": true, "my-shop.order_lines2": true,
		"shop.*": false, `shop\..*`: false, "shop.a.b": false, `shop\.(a|b)`: false, "shop": false, "shop.": false, ".*": false, `sh\wp.orders`: false,
	} {
		if _, ok := onFields([]string{text}, false); ok != plain {
			t.Errorf("%s: %v", text, ok)
		}
	}
	if _, ok := onFields([]string{"shop.orders", "shop.*"}, false); ok {
		t.Error("an expression was left out")
	}
	if _, ok := onFields([]string{".*"}, true); !ok {
		t.Error("a database is a field by itself")
	}
}
