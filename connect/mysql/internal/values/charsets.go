package values

import (
	"fmt"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// charsets of the servers that are not UTF-8.
var charsets = map[string]encoding.Encoding{
	"latin1": charmap.Windows1252, "latin2": charmap.ISO8859_2, "latin5": charmap.ISO8859_9, "latin7": charmap.ISO8859_13,
	"cp1250": charmap.Windows1250, "cp1251": charmap.Windows1251, "cp1256": charmap.Windows1256, "cp1257": charmap.Windows1257,
	"cp850": charmap.CodePage850, "cp852": charmap.CodePage852, "cp866": charmap.CodePage866,
	"greek": charmap.ISO8859_7, "hebrew": charmap.ISO8859_8, "koi8r": charmap.KOI8R, "koi8u": charmap.KOI8U,
	"macroman": charmap.Macintosh, "tis620": charmap.Windows874,
	"sjis": japanese.ShiftJIS, "cp932": japanese.ShiftJIS, "ujis": japanese.EUCJP, "eucjpms": japanese.EUCJP,
	"euckr": korean.EUCKR, "gb2312": simplifiedchinese.GBK, "gbk": simplifiedchinese.GBK, "gb18030": simplifiedchinese.GB18030,
	"big5":  traditionalchinese.Big5,
	"ucs2":  unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM),
	"utf16": unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), "utf16le": unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM),
	"utf32": utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM),
}

// decoder of a character set into UTF-8.
func decoder(charset string) func(string) (any, error) {
	switch charset {
	case "", "utf8", "utf8mb3", "utf8mb4", "ascii", "binary":
		return func(s string) (any, error) { return s, nil }
	}
	e, ok := charsets[charset]
	return func(s string) (any, error) {
		if plain(s) && e != nil && charset != "ucs2" && charset != "utf16" && charset != "utf16le" && charset != "utf32" {
			return s, nil
		}
		if !ok {
			return nil, fmt.Errorf("%w: its character set %s is not known here", ErrValue, charset)
		}
		out, err := e.NewDecoder().String(s)
		if err != nil {
			return nil, fmt.Errorf("%w: it is no text in %s: %w", ErrValue, charset, err)
		}
		return out, nil
	}
}

// Decode text of a character set; it is left as it is where that fails.
func Decode(charset, s string) string {
	if v, err := decoder(charset)(s); err == nil {
		return v.(string)
	}
	return s
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
