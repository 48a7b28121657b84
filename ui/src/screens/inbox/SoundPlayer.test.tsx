import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { MediaPart } from "../../bindings";
import { SoundPlayer } from "./SoundPlayer";

const fetched = vi.hoisted(() => vi.fn());
vi.mock("../../bridge", () => ({ mediaUrl: (id: string) => `/media/${id}`, playableUrl: fetched }));

const part: MediaPart = {
  type: "media",
  kind: "voice",
  media: "med_1",
  mime: "audio/ogg",
  bytes: 4000,
  duration_ms: 20_000,
  wave: Array.from({ length: 64 }, (_, n) => n * 4),
};
const revoke = vi.fn();
const play = vi.spyOn(HTMLMediaElement.prototype, "play");
const pause = vi.spyOn(HTMLMediaElement.prototype, "pause");

/** What an element of a browser does when it plays and pauses. */
beforeEach(() => {
  vi.clearAllMocks();
  fetched.mockResolvedValue({ url: "blob:1", revoke });
  play.mockImplementation(async function (this: HTMLMediaElement) {
    fireEvent.play(this);
  });
  pause.mockImplementation(function (this: HTMLMediaElement) {
    fireEvent.pause(this);
  });
});

const show = (more: Partial<MediaPart> = {}) => render(<SoundPlayer part={{ ...part, ...more }} label="Play it" />);
const slider = () => screen.getByLabelText("Position in the sound");
async function begin(container: HTMLElement): Promise<HTMLAudioElement> {
  fireEvent.click(screen.getByLabelText("Play it"));
  await waitFor(() => expect(container.querySelector("audio")).not.toBeNull());
  const audio = container.querySelector("audio") as HTMLAudioElement;
  fireEvent.loadedMetadata(audio);
  fireEvent.play(audio);
  return audio;
}

describe("a sound", () => {
  it("is fetched when it is played and given back when it leaves", async () => {
    const { container, unmount } = show();
    expect(fetched).not.toHaveBeenCalled();
    const audio = await begin(container);
    expect(fetched).toHaveBeenCalledWith("med_1", "audio/ogg");
    expect(audio.getAttribute("src")).toBe("blob:1");
    fireEvent.click(screen.getByLabelText("Pause"));
    expect(pause).toHaveBeenCalledTimes(1);
    fireEvent.click(screen.getByLabelText("Play it"));
    expect(play).toHaveBeenCalledTimes(1);
    expect(fetched).toHaveBeenCalledTimes(1);
    unmount();
    expect(revoke).toHaveBeenCalledTimes(1);
  });

  it("is sought with the keys, before and after it is there", async () => {
    const { container } = show();
    const key = (name: string) => fireEvent.keyDown(slider(), { key: name });
    const place = () => slider().getAttribute("aria-valuetext");
    expect(place()).toBe("0:00 of 0:20");
    key("ArrowRight");
    key("PageUp");
    expect(place()).toBe("0:20 of 0:20");
    key("ArrowLeft");
    expect(fetched).not.toHaveBeenCalled();
    const audio = await begin(container);
    expect(audio.currentTime).toBe(15);
    key("Home");
    expect([audio.currentTime, place()]).toEqual([0, "0:00 of 0:20"]);
    key("End");
    expect(audio.currentTime).toBe(20);
  });

  it("is sought where one points", () => {
    show();
    vi.spyOn(slider(), "getBoundingClientRect").mockReturnValue({ left: 100, width: 200 } as DOMRect);
    // The page of the tests knows no pointers, only mice.
    const point = (type: string, clientX: number, buttons: number) =>
      fireEvent(slider(), new MouseEvent(type, { bubbles: true, clientX, buttons }));
    point("pointerdown", 150, 1);
    expect(slider().getAttribute("aria-valuenow")).toBe("5");
    point("pointermove", 250, 0);
    expect(slider().getAttribute("aria-valuenow")).toBe("5");
    point("pointermove", 400, 1);
    expect(slider().getAttribute("aria-valuenow")).toBe("20");
  });

  it("shows what was played of its wave", async () => {
    const { container } = show();
    const bars = (n: number) =>
      (container.querySelectorAll("[role=slider] path")[n]?.getAttribute("d") ?? "").split("M").length - 1;
    expect([bars(0), bars(1)]).toEqual([0, 64]);
    const audio = await begin(container);
    audio.currentTime = 10;
    fireEvent.timeUpdate(audio);
    expect([bars(0), bars(1)]).toEqual([32, 32]);
    expect(screen.getByText("0:10")).toBeTruthy();
    fireEvent.ended(audio);
    expect([bars(0), bars(1)]).toEqual([0, 64]);
  });

  it("goes faster, and back", async () => {
    const { container } = show();
    const faster = () => fireEvent.click(screen.getByLabelText(/Speed/));
    faster();
    const audio = await begin(container);
    expect(audio.playbackRate).toBe(1.5);
    faster();
    expect(audio.playbackRate).toBe(2);
    expect(screen.getByLabelText("Speed 2×")).toBeTruthy();
    faster();
    expect(audio.playbackRate).toBe(1);
  });

  it("falls silent when another one begins", async () => {
    const one = show();
    await begin(one.container);
    const other = render(<SoundPlayer part={{ ...part, media: "med_2" }} label="Play the other" />);
    fireEvent.click(screen.getByLabelText("Play the other"));
    await waitFor(() => expect(other.container.querySelector("audio")).not.toBeNull());
    pause.mockClear();
    fireEvent.play(other.container.querySelector("audio") as HTMLAudioElement);
    expect(pause.mock.contexts).toEqual([one.container.querySelector("audio")]);
  });

  it("says so and offers the file when it cannot be played, and can be tried again", async () => {
    fetched.mockRejectedValueOnce(new Error("gone"));
    show();
    fireEvent.click(screen.getByLabelText("Play it"));
    expect((await screen.findByText("Cannot be played here. Download it.")).getAttribute("href")).toBe("/media/med_1");
    fireEvent.click(screen.getByLabelText("Play it"));
    await waitFor(() => expect(fetched).toHaveBeenCalledTimes(2));
  });

  it("learns its length from the file where nobody measured it", async () => {
    const { container } = show({ duration_ms: undefined, wave: undefined });
    expect(slider().getAttribute("aria-disabled")).toBe("true");
    const audio = await begin(container);
    Object.defineProperty(audio, "duration", { value: 8.4 });
    fireEvent.loadedMetadata(audio);
    expect(slider().getAttribute("aria-valuetext")).toBe("0:00 of 0:08");
  });
});
