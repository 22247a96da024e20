;; Finds the ends of csv cells, 64 bytes at a time. The twin of cut-record.ts for rows without surprises: it stops where a
;; record is not plainly regular, and leaves that record to its twin. Built into tokeniser-wasm.ts by scripts/build-wasm.mjs.
;;
;; Memory is the caller's: results at 0 (see `scan`), then the ends, then the bytes with 64 bytes of room after them.
(module
  (memory (import "csv" "memory") 1)

  ;; One bit for each of the 64 bytes at $at that equals the byte splatted in $what.
  (func $bits (param $at i32) (param $what v128) (result i64)
    (i64.or
      (i64.or
        (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (v128.load (local.get $at)) (local.get $what))))
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (v128.load offset=16 (local.get $at)) (local.get $what)))) (i64.const 16)))
      (i64.or
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (v128.load offset=32 (local.get $at)) (local.get $what)))) (i64.const 32))
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (v128.load offset=48 (local.get $at)) (local.get $what)))) (i64.const 48)))))

  ;; Reads from $from, where a record begins, up to $to, and writes the address of every cell's end from $out on, which may
  ;; grow to $limit. Gives the address after the last end written. At 0: line ends met (LF, CRLF as its CR, CR), at 4:
  ;; why it stopped: 0 all is read, or the last byte cannot be told without the next one; 1 no room; 2 something stands
  ;; after a closing quote. At 8: 1 when a quote was met. A cell with a doubled quote gets a 1 at $flags + its end's address / 4.
  (func (export "scan")
    (param $from i32) (param $to i32) (param $out i32) (param $limit i32) (param $delimiter i32) (param $quote i32)
    (param $flags i32) (result i32)
    (local $at i32) (local $next i32) (local $cell i32) (local $lines i32) (local $inside i32) (local $why i32) (local $met i32)
    (local $p i32) (local $c i32) (local $last i32)
    (local $d v128) (local $n v128) (local $r v128) (local $q v128)
    (local $dn i64) (local $nb i64) (local $rb i64) (local $qb i64) (local $m i64) (local $room i64) (local $after i64)
    (local.set $d (i8x16.splat (local.get $delimiter)))
    (local.set $q (i8x16.splat (local.get $quote)))
    (local.set $n (i8x16.splat (i32.const 10)))
    (local.set $r (i8x16.splat (i32.const 13)))
    (local.set $at (local.get $from))
    (local.set $cell (local.get $from))
    (local.set $limit (i32.sub (local.get $limit) (i32.const 256)))
    (block $stop
      (loop $chunk
        (br_if $stop (i32.ge_u (local.get $at) (local.get $to)))
        (if (i32.gt_u (local.get $out) (local.get $limit))
          (then (local.set $why (i32.const 1)) (br $stop)))
        (local.set $next (i32.add (local.get $at) (i32.const 64)))
        (local.set $room (i64.const -1))
        (if (i32.gt_u (local.get $next) (local.get $to))
          (then (local.set $room
            (i64.sub (i64.shl (i64.const 1) (i64.extend_i32_u (i32.sub (local.get $to) (local.get $at)))) (i64.const 1)))))
        (local.set $qb (i64.and (call $bits (local.get $at) (local.get $q)) (local.get $room)))
        (if (local.get $inside)
          (then
            (if (i64.eqz (local.get $qb))
              (then (local.set $at (local.get $next)) (br $chunk)))))
        (local.set $dn (i64.and (call $bits (local.get $at) (local.get $d)) (local.get $room)))
        (local.set $nb (i64.and (call $bits (local.get $at) (local.get $n)) (local.get $room)))
        (local.set $rb (i64.and (call $bits (local.get $at) (local.get $r)) (local.get $room)))
        (if (i32.and (i64.eqz (i64.or (local.get $qb) (local.get $rb))) (i32.eqz (local.get $inside)))
          (then
            ;; Only delimiters and LF: every one of them ends a cell.
            (local.set $m (i64.or (local.get $dn) (local.get $nb)))
            (if (i64.ne (local.get $m) (i64.const 0))
              (then
                (loop $emit
                  (i32.store (local.get $out) (i32.add (local.get $at) (i32.wrap_i64 (i64.ctz (local.get $m)))))
                  (local.set $out (i32.add (local.get $out) (i32.const 4)))
                  (local.set $m (i64.and (local.get $m) (i64.sub (local.get $m) (i64.const 1))))
                  (br_if $emit (i64.ne (local.get $m) (i64.const 0))))
                (local.set $lines (i32.add (local.get $lines) (i32.wrap_i64 (i64.popcnt (local.get $nb)))))
                (local.set $cell (i32.add (i32.load (i32.sub (local.get $out) (i32.const 4))) (i32.const 1)))))
            (local.set $at (local.get $next))
            (br $chunk)))
        ;; With quotes or CR: bit by bit. $after keeps the bits that are still to be looked at.
        (local.set $m (i64.or (i64.or (local.get $dn) (local.get $nb)) (i64.or (local.get $rb) (local.get $qb))))
        (local.set $after (i64.const -1))
        (if (i64.ne (local.get $qb) (i64.const 0)) (then (local.set $met (i32.const 1))))
        (block $done
          (loop $bit
            (if (local.get $inside)
              (then
                (local.set $p (i32.wrap_i64 (i64.ctz (i64.and (local.get $qb) (local.get $after)))))
                (br_if $done (i32.eq (local.get $p) (i32.const 64)))
                (local.set $last (i32.add (i32.add (local.get $at) (local.get $p)) (i32.const 1)))
                ;; Whether a quote closes is told by the byte after it.
                (br_if $stop (i32.ge_u (local.get $last) (local.get $to)))
                (local.set $c (i32.load8_u (local.get $last)))
                (if (i32.eq (local.get $c) (local.get $quote))
                  (then
                    (i32.store8 (i32.add (local.get $flags) (i32.shr_u (local.get $out) (i32.const 2))) (i32.const 1))
                    (local.set $last (i32.add (local.get $last) (i32.const 1))))
                  (else
                    (local.set $inside (i32.const 0))
                    (if (i32.eq (local.get $c) (local.get $delimiter))
                      (then
                        (i32.store (local.get $out) (local.get $last))
                        (local.set $out (i32.add (local.get $out) (i32.const 4)))
                        (local.set $last (i32.add (local.get $last) (i32.const 1)))
                        (local.set $cell (local.get $last)))
                      (else
                        (if (i32.and (i32.ne (local.get $c) (i32.const 10)) (i32.ne (local.get $c) (i32.const 13)))
                          (then (local.set $why (i32.const 2)) (br $stop))))))))
              (else
                (local.set $p (i32.wrap_i64 (i64.ctz (i64.and (local.get $m) (local.get $after)))))
                (br_if $done (i32.eq (local.get $p) (i32.const 64)))
                (local.set $last (i32.add (local.get $at) (local.get $p)))
                (local.set $c (i32.load8_u (local.get $last)))
                (if (i32.eq (local.get $c) (local.get $quote))
                  (then
                    ;; A quote opens a cell where the cell begins; elsewhere it is a plain character.
                    (local.set $inside (i32.eq (local.get $last) (local.get $cell)))
                    (local.set $last (i32.add (local.get $last) (i32.const 1))))
                  (else
                    (if (i32.eq (local.get $c) (i32.const 13))
                      (then (br_if $stop (i32.ge_u (i32.add (local.get $last) (i32.const 1)) (local.get $to)))))
                    (i32.store (local.get $out) (local.get $last))
                    (local.set $out (i32.add (local.get $out) (i32.const 4)))
                    (if (i32.ne (local.get $c) (local.get $delimiter))
                      (then (local.set $lines (i32.add (local.get $lines) (i32.const 1)))))
                    (local.set $last (i32.add (local.get $last) (i32.const 1)))
                    (if (i32.eq (local.get $c) (i32.const 13))
                      (then
                        (if (i32.eq (i32.load8_u (local.get $last)) (i32.const 10))
                          (then (local.set $last (i32.add (local.get $last) (i32.const 1)))))))
                    (local.set $cell (local.get $last))))))
            ;; $last is the first byte that was not looked at yet.
            (local.set $p (i32.sub (local.get $last) (local.get $at)))
            (if (i32.ge_u (local.get $p) (i32.const 64))
              (then (local.set $next (local.get $last)) (br $done)))
            (local.set $after (i64.shl (i64.const -1) (i64.extend_i32_u (local.get $p))))
            (br $bit)))
        (local.set $at (local.get $next))
        (br $chunk)))
    (i32.store (i32.const 0) (local.get $lines))
    (i32.store (i32.const 4) (local.get $why))
    (i32.store (i32.const 8) (local.get $met))
    (local.get $out))

  ;; Line ends in [$from, $to): LF, and CR that no LF follows.
  (func (export "lines") (param $from i32) (param $to i32) (result i32)
    (local $lines i32) (local $nb i64) (local $rb i64) (local $n v128) (local $r v128) (local $room i64)
    (local.set $n (i8x16.splat (i32.const 10)))
    (local.set $r (i8x16.splat (i32.const 13)))
    (loop $chunk
      (if (i32.lt_u (local.get $from) (local.get $to))
        (then
          (local.set $room (i64.const -1))
          (if (i32.gt_u (i32.add (local.get $from) (i32.const 64)) (local.get $to))
            (then (local.set $room
              (i64.sub (i64.shl (i64.const 1) (i64.extend_i32_u (i32.sub (local.get $to) (local.get $from)))) (i64.const 1)))))
          (local.set $nb (i64.and (call $bits (local.get $from) (local.get $n)) (local.get $room)))
          (local.set $rb (i64.and (call $bits (local.get $from) (local.get $r)) (local.get $room)))
          (if (i64.ne (local.get $rb) (i64.const 0))
            (then
              ;; Each CR whose next byte is an LF counts by its LF alone.
              (local.set $rb (i64.and (local.get $rb)
                (i64.xor (call $bits (i32.add (local.get $from) (i32.const 1)) (local.get $n)) (i64.const -1))))
              (local.set $lines (i32.add (local.get $lines) (i32.wrap_i64 (i64.popcnt (local.get $rb)))))))
          (local.set $lines (i32.add (local.get $lines) (i32.wrap_i64 (i64.popcnt (local.get $nb)))))
          (local.set $from (i32.add (local.get $from) (i32.const 64)))
          (br $chunk))))
    (local.get $lines)))
