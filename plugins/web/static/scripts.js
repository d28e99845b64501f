// Loading of web packages that are scripts.

/** The address of a web package's file. @param {string} name */
export const here = (name) => new URL(`vendor/${name}`, import.meta.url).href;

/** Load scripts one after the other; each defines a global. @param {string[]} names */
export async function loadScripts(...names) {
  for (const name of names) {
    await new Promise((done, failed) => {
      const script = Object.assign(document.createElement("script"), { src: here(name), onload: done });
      script.onerror = () => failed(new Error(`${name} could not be loaded`));
      document.head.append(script);
    });
  }
}
