package generate

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// initialisms are words that Go writes in capitals.
var initialisms = map[string]bool{
	"api": true, "cpu": true, "db": true, "dns": true, "html": true, "http": true, "https": true, "iban": true, "id": true, "ip": true, "json": true,
	"sku": true, "sql": true, "ssh": true, "tcp": true, "tls": true, "ttl": true, "uri": true, "url": true, "utc": true, "uuid": true, "vat": true, "xml": true,
}

// exported makes an exported identifier of a name: order_id and orderId are OrderID, IN_TRANSIT is
// InTransit.
func exported(name string) string {
	var out strings.Builder
	for _, word := range words(name) {
		if lower := strings.ToLower(word); initialisms[lower] {
			out.WriteString(strings.ToUpper(word))
		} else {
			first, size := utf8.DecodeRuneInString(lower)
			out.WriteString(string(unicode.ToUpper(first)) + lower[size:])
		}
	}
	if first, _ := utf8.DecodeRuneInString(out.String()); !unicode.IsUpper(first) {
		return "X" + out.String() // a digit, or a letter without capitals
	}
	return out.String()
}

// typeName leaves a name as it is that is Go's way to write one, such as SHA1.
func typeName(name string) string {
	first, _ := utf8.DecodeRuneInString(name)
	if unicode.IsUpper(first) && !strings.Contains(name, "_") {
		return name
	}
	return exported(name)
}

// words are what underscores and capitals part: OrderHTTPUrl2 is Order, HTTP, Url2.
func words(name string) []string {
	var out []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			out = append(out, string(word))
		}
		word = nil
	}
	all := []rune(name)
	for i, r := range all {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end()
			continue
		case i == 0 || !unicode.IsUpper(r):
		case !unicode.IsUpper(all[i-1]), i+1 < len(all) && unicode.IsLower(all[i+1]):
			end()
		}
		word = append(word, r)
	}
	end()
	return out
}

func lastPart(dotted string) string { return dotted[strings.LastIndexByte(dotted, '.')+1:] }

// unused is the first of the names that is not taken, or the first with a number, and takes it.
func unused(taken map[string]bool, names ...string) string {
	for _, name := range names {
		if !taken[name] {
			taken[name] = true
			return name
		}
	}
	for i := 2; ; i++ {
		if name := fmt.Sprint(names[0], i); !taken[name] {
			taken[name] = true
			return name
		}
	}
}
