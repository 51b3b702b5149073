(* SPDX-License-Identifier: LGPL-2.1-or-later

   What an OCaml program can do with a server: calls that wait, commands in
   flight with buffers and closures that the garbage collector moves and frees,
   option mode, exceptions, and a server of its own. *)

open Printf

let block = 65536

(* Runs the collector, which moves and frees all that it can. *)
let collect () = Gc.compact ()

let error_of f =
  match f () with
  | _ -> "no error"
  | exception NBD.Error (text, errno) ->
     let name = List.hd (String.split_on_char ':' text) in
     let errno = match errno with
       | None -> "no errno"
       | Some errno -> Unix.error_message errno in
     sprintf "%s: %s" name errno
  | exception NBD.Closed name -> sprintf "%s: closed" name

let sync nbd =
  let size = NBD.get_size nbd in
  printf "%Ld bytes, read-only: %b, flush: %b, %s\n" size
    (NBD.is_read_only nbd) (NBD.can_flush nbd) (NBD.get_protocol nbd);
  let data = Bytes.make block '\000' in
  NBD.pread nbd data 0L;
  printf "start: %s\n" (Digest.to_hex (Digest.bytes data));
  let text = Bytes.init block (fun i -> Char.chr (i * 7 land 255)) in
  NBD.pwrite nbd text 131072L;
  NBD.flush nbd;
  NBD.pread nbd data 131072L;
  printf "comes back: %b\n" (Bytes.equal text data)

let callbacks nbd =
  if NBD.can_meta_context nbd NBD.context_base_allocation then begin
    let seen = ref 0L in
    NBD.block_status nbd (NBD.get_size nbd) 0L (
      fun context offset extents _ ->
        collect ();
        printf "%s from %Ld: %d numbers\n" context offset
          (Array.length extents);
        Array.iteri (fun i n ->
            if i land 1 = 0 then seen := Int64.add !seen n) extents;
        0);
    printf "described: %Ld\n" !seen
  end;
  let data = Bytes.create block in
  let chunks = ref [] in
  NBD.pread_structured nbd data 1048576L (
    fun piece offset status error ->
      collect ();
      chunks := (offset, Bytes.length piece, status, !error) :: !chunks;
      0);
  List.iter (fun (offset, length, status, error) ->
      printf "chunk at %Ld: %d bytes, status %d, error %d\n"
        offset length status error)
    (List.sort compare !chunks);
  printf "read: %s\n" (Digest.to_hex (Digest.bytes data))

let aio nbd =
  let count = 32 in
  let completed = Array.make count 0 in
  let offset i = Int64.of_int (2097152 + i * block) in
  for i = 0 to count - 1 do
    let data = NBD.Buffer.of_bytes (Bytes.make block (Char.chr (i + 1))) in
    ignore (NBD.aio_pwrite nbd data (offset i) ~completion:(
      fun error ->
        if !error = 0 then completed.(i) <- completed.(i) + 1;
        1));
    (* Only the command refers to the buffer and the closure now. *)
    if i mod 8 = 0 then collect ()
  done;
  while NBD.aio_in_flight nbd > 0 do
    ignore (NBD.poll nbd (-1))
  done;
  printf "written once each: %b\n" (Array.for_all ((=) 1) completed);

  let buffers = Array.init count (fun _ -> NBD.Buffer.alloc block) in
  let cookies =
    Array.mapi (fun i buffer -> NBD.aio_pread nbd buffer (offset i)) buffers in
  collect ();
  Array.iter (fun cookie ->
      while not (NBD.aio_command_completed nbd cookie) do
        ignore (NBD.poll nbd (-1))
      done) cookies;
  let right i buffer =
    Bytes.equal (NBD.Buffer.to_bytes buffer)
      (Bytes.make block (Char.chr (i + 1))) in
  printf "read back: %b\n"
    (List.for_all Fun.id (Array.to_list (Array.mapi right buffers)))

let errors nbd =
  let size = NBD.get_size nbd in
  let data = Bytes.create 512 in
  printf "past the end: %s\n" (error_of (fun () -> NBD.pread nbd data size));
  printf "no such command: %s\n" (error_of (fun () ->
    if NBD.aio_command_completed nbd 123456789L then ()));
  printf "connected already: %s\n" (error_of (fun () ->
    NBD.connect_unix nbd "/nothing"))

let options uri =
  NBD.with_handle (fun nbd ->
    NBD.set_opt_mode nbd true;
    NBD.connect_uri nbd uri;
    let count = NBD.opt_list nbd (
      fun name description ->
        collect ();
        printf "export %S: %S\n" name description;
        0) in
    printf "%d exports\n" count;
    NBD.opt_abort nbd)

let own_server () =
  let use how =
    NBD.with_handle (fun nbd ->
      how nbd;
      let data = Bytes.create 16 in
      NBD.pread nbd data 4096L;
      printf "own server: %Ld: %S\n" (NBD.get_size nbd)
        (Bytes.to_string data);
      NBD.shutdown nbd) in
  use (fun nbd ->
    NBD.connect_command nbd
      ["nbdkit"; "-s"; "--exit-with-parent"; "pattern"; "1M"]);
  use (fun nbd ->
    NBD.connect_systemd_socket_activation nbd
      ["nbdkit"; "--exit-with-parent"; "pattern"; "2M"])

let debug uri =
  let nbd = NBD.create () in
  let messages = ref 0 in
  NBD.set_debug_callback nbd (fun _ _ -> incr messages; 0);
  NBD.set_debug nbd true;
  collect ();
  NBD.connect_uri nbd uri;
  printf "debug messages: %b\n" (!messages > 0);
  NBD.close nbd;
  printf "after close: %s\n" (error_of (fun () -> NBD.get_size nbd))

let () =
  let uri = Sys.argv.(1) in
  let nbd = NBD.create () in
  NBD.add_meta_context nbd NBD.context_base_allocation;
  NBD.connect_uri nbd uri;
  sync nbd;
  callbacks nbd;
  aio nbd;
  errors nbd;
  NBD.shutdown nbd;
  NBD.close nbd;
  options uri;
  own_server ();
  debug uri;
  collect ()
